/* SPDX-License-Identifier: GPL-2.0 */
/* There are no tracepoints to define: linux/tracepoint.h. */
