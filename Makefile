# SPDX-License-Identifier: GPL-2.0
# For people. Kbuild is what kbuild reads.

KDIR ?= /lib/modules/$(shell uname -r)/build
M := $(CURDIR)

.PHONY: help
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## modules          build the modules against KDIR (default: the running kernel)
.PHONY: modules
modules:
	$(MAKE) -C $(KDIR) M=$(M) modules

## modules_install  install them below INSTALL_MOD_PATH, and run depmod
.PHONY: modules_install
modules_install:
	$(MAKE) -C $(KDIR) M=$(M) modules_install

## install          modules and modules_install
.PHONY: install
install: modules
	$(MAKE) modules_install

## clean            remove what was built
.PHONY: clean
clean:
	$(MAKE) -C $(KDIR) M=$(M) clean
