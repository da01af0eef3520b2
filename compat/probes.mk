# SPDX-License-Identifier: GPL-2.0
# What the headers of the kernel that is built against have. Each probe greps a
# header, so back-ports inside one kernel series are seen for what they are.

vmdev-header = $(firstword $(wildcard $(srctree)/include/$(1) \
		 $(objtree)/include/$(1)))
vmdev-probe = $(if $(shell grep -sE '$(2)' $(call vmdev-header,$(1)) /dev/null),-D$(3))

vmdev-probes := $(call vmdev-probe,linux/vdpa.h,union virtio_map vmap,VMDEV_HAVE_VDPA_VMAP)
vmdev-probes += $(call vmdev-probe,linux/hrtimer.h,void hrtimer_setup,VMDEV_HAVE_HRTIMER_SETUP)
vmdev-probes += $(call vmdev-probe,linux/workqueue.h,struct system_percpu_wq|\*system_percpu_wq,VMDEV_HAVE_PERCPU_WQ)
vmdev-probes += $(call vmdev-probe,linux/irqbypass.h,struct eventfd_ctx \*eventfd.;,VMDEV_HAVE_BYPASS_EVENTFD)
vmdev-probes += $(if $(call vmdev-header,linux/vdpa.h),,-DVMDEV_NO_VDPA)
