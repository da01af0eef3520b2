// SPDX-License-Identifier: GPL-2.0
/* The tracepoints themselves: code for each, once. */
#define CREATE_TRACE_POINTS
#include "trace.h"
