/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_DELAY_H
#define _SHIM_LINUX_DELAY_H

/* Nobody waits here. */
#define fsleep(us)	((void)(us))

#endif
