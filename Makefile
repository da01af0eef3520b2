# SPDX-License-Identifier: GPL-2.0
# For people. Kbuild is what kbuild reads.

KDIR ?= /lib/modules/$(shell uname -r)/build
M := $(CURDIR)
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' $(M)/dkms.conf)
DKMS_SOURCE := $(DESTDIR)/usr/src/vmdev-$(VERSION)

.PHONY: help
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## Modules
##   modules          build the modules against KDIR (default: the running kernel)
.PHONY: modules
modules:
	$(MAKE) -C $(KDIR) M=$(M) modules

# depmod here: modules_install of some kernels leaves it out where System.map is missing,
# as it is in Debian's headers.
##   modules_install  install them below INSTALL_MOD_PATH (default: /), and run depmod
.PHONY: modules_install
modules_install:
	$(MAKE) -C $(KDIR) M=$(M) INSTALL_MOD_DIR=updates DEPMOD=true modules_install
	depmod $(INSTALL_MOD_PATH:%=-b %) $$($(MAKE) -s --no-print-directory -C $(KDIR) kernelrelease)

##   install          modules and modules_install, for machines without DKMS
.PHONY: install
install: modules
	$(MAKE) modules_install

##   dkms-source      put the sources where 'dkms install vmdev/VERSION' finds them
.PHONY: dkms-source
dkms-source:
	rm -rf $(DKMS_SOURCE)
	mkdir -p $(DKMS_SOURCE)
	cp -r COPYING Kbuild Makefile dkms.conf compat drivers include $(DKMS_SOURCE)
	$(MAKE) -C $(DKMS_SOURCE) M=$(DKMS_SOURCE) clean
	@echo "now: dkms install vmdev/$(VERSION)"

## The vmdev command (needs libmnl-dev)
##   tools            build it
.PHONY: tools
tools:
	$(MAKE) -C $(M)/tools

##   install-tools    install it, its manual page and completion for bash; DESTDIR, prefix (/usr)
.PHONY: install-tools
install-tools:
	$(MAKE) -C $(M)/tools install

##   clean            remove what was built; needs no kernel headers
.PHONY: clean
clean:
	@find $(M) -name .git -prune -o -type f \( -name '*.o' -o -name '*.ko' -o -name '*.mod' \
		-o -name '*.mod.c' -o -name '.*.cmd' -o -name '*.a' -o -name '*.o.d' \
		-o -name Module.symvers -o -name modules.order -o -name .module-common.o \) \
		-exec rm -f {} +
	@for d in selftests tools; do if [ -d $(M)/$$d ]; then $(MAKE) -s -C $(M)/$$d clean; fi; done

## Lab (as root; builds what is missing, the first time takes minutes)
##   demo             a VF becomes a vDPA device that a stock QEMU guest pings through
.PHONY: demo
demo:
	@scripts/demo

##   demo-soft        the same without a NIC: a device of vmdev_soft, and a bridge of the host's
.PHONY: demo-soft
demo-soft:
	@scripts/demo soft

##   demo-fpga        the same with a model of an FPGA SmartNIC, which logs itself what it writes
.PHONY: demo-fpga
demo-fpga:
	@scripts/demo fpga

##   lab-shell        a shell in a VM with an SR-IOV NIC and the modules; LAB="options of lab-run"
.PHONY: lab-shell
lab-shell:
	scripts/lab-build
	scripts/lab-modules
	scripts/lab-run $(LAB) --shell

##   check            every test, on every kernel; ONLY=PATTERN KERNEL=6.12|7.2|debug JOBS=N
.PHONY: check
check:
	@scripts/check $(ONLY:%=--only '%') $(KERNEL:%=--kernel %)

##   check-long       the same in full: sweeps, fuzzers, storms; LONG_MINUTES=N (30) SEED=N
.PHONY: check-long
check-long:
	@LONG=1 scripts/check $(ONLY:%=--only '%') $(KERNEL:%=--kernel %)

##   bench            instructions per operation, beside other drivers, and our limits; BENCH=OPTIONS
.PHONY: bench
bench:
	@scripts/bench $(BENCH)

##   lint             checkpatch, sparse, W=1, shellcheck, groff; silent if there is nothing to say
.PHONY: lint
lint:
	@scripts/lint
