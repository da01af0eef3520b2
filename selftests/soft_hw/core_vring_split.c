// SPDX-License-Identifier: GPL-2.0
#include "../../drivers/core/vring_split.c"
