// SPDX-License-Identifier: GPL-2.0
/*
 * A TCP stream whose contents are checked at both ends:
 *
 *	stream PORT			serve: check what comes and send it back
 *	stream ADDR PORT [PAUSE]	send for ever, PAUSE us after each piece, and check what
 *					comes back
 *
 * The client prints "STREAM N" now and then, N being the bytes that came back; both print
 * "STREAM BAD ..." and end when a byte is not what it should be, or the connection is lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "pattern.h"

#define PIECE		32768
#define PAUSE_US	5000
#define SEED		20261121

static void bad(const char *what, __u64 at)
{
	printf("STREAM BAD %s at %llu%s%s\n", what, (unsigned long long)at, errno ? ": " : "",
	       errno ? strerror(errno) : "");
	exit(1);
}

static void fill(__u8 *buf, __u64 at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = pattern(SEED, (at + i) / 8) >> ((at + i) % 8 * 8);
}

static void check(const __u8 *buf, __u64 at, size_t len)
{
	static __u8 want[PIECE];
	size_t i;

	fill(want, at, len);
	if (!memcmp(buf, want, len))
		return;
	for (i = 0; buf[i] == want[i]; i++)
		;
	errno = 0;
	bad("contents", at + i);
}

static void send_all(int fd, const __u8 *buf, __u64 at, size_t len)
{
	ssize_t n;

	for (; len; buf += n, at += n, len -= n) {
		errno = 0;
		n = send(fd, buf, len, MSG_NOSIGNAL);
		if (n <= 0)
			bad("send", at);
	}
}

static size_t receive(int fd, __u8 *buf, __u64 at, size_t len)
{
	ssize_t n;

	errno = 0;
	n = recv(fd, buf, len, 0);
	if (n <= 0)
		bad("receive", at);
	check(buf, at, n);
	return n;
}

static void serve(const struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	static __u8 buf[PIECE];
	__u64 at = 0;
	size_t n;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const void *)addr, sizeof(*addr)) || listen(fd, 1))
		bad("listen", 0);
	fd = accept(fd, NULL, NULL);
	if (fd < 0)
		bad("accept", 0);
	for (;;) {
		n = receive(fd, buf, at, sizeof(buf));
		send_all(fd, buf, at, n);
		at += n;
	}
}

static void client(const struct sockaddr_in *addr, useconds_t pause)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	static __u8 buf[PIECE];
	__u64 at = 0, got;
	time_t said = 0;

	if (connect(fd, (const void *)addr, sizeof(*addr)))
		bad("connect", 0);
	for (;;) {
		fill(buf, at, sizeof(buf));
		send_all(fd, buf, at, sizeof(buf));
		for (got = 0; got < sizeof(buf); )
			got += receive(fd, buf, at + got, sizeof(buf) - got);
		at += sizeof(buf);
		if (time(NULL) != said) {
			said = time(NULL);
			printf("STREAM %llu\n", (unsigned long long)at);
		}
		usleep(pause);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2) {
		addr.sin_port = htons(atoi(argv[1]));
		serve(&addr);
		return 0;
	}
	if (argc < 3 || inet_pton(AF_INET, argv[1], &addr.sin_addr) != 1) {
		fprintf(stderr, "usage: stream PORT | stream ADDR PORT [PAUSE]\n");
		return 2;
	}
	addr.sin_port = htons(atoi(argv[2]));
	client(&addr, argc > 3 ? atoi(argv[3]) : PAUSE_US);
	return 0;
}
