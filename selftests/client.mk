# SPDX-License-Identifier: GPL-2.0
# For programs in a folder beside this file that are clients of /dev/vhost-vdpa-N, /dev/vmdev/NAME or
# both. The Makefile there says PROGS, and what each is made of; it includes this at its end.

CC ?= gcc
CFLAGS ?= -O2 -g
TEST_CFLAGS := -std=gnu11 -Wall -Wextra -Werror -pthread -I../include -I../vhost_vdpa -I../dirty \
	       -I../../include/uapi
TEST_LDFLAGS := -static -pthread

# Sources only: an object of another folder would do for the one here, or not, as it happens.
vpath %.c ../vhost_vdpa ../dirty

$(PROGS):
	$(CC) $(TEST_CFLAGS) $(CFLAGS) -o $@ $^ $(TEST_LDFLAGS)

%.o: %.c $(wildcard *.h ../include/*.h ../vhost_vdpa/*.h ../dirty/*.h) ../../include/uapi/linux/vmdev.h
	$(CC) $(TEST_CFLAGS) $(CFLAGS) -c -o $@ $<

clean:
	rm -f $(PROGS) *.o

.PHONY: all clean
