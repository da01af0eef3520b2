// SPDX-License-Identifier: GPL-2.0
/*
 * Two NICs on one wire, whose queues go to shadow and back under traffic, on hardware that
 * starts only fresh rings:
 *
 *	laps TIMES NAME DEV NAME DEV
 *
 * NAME is a vDPA device, DEV its vhost-vdpa device. Numbered frames go both ways. TIMES times
 * both are logged, which has their queues in shadow at once; then the log ends, and each queue
 * has to be direct again after one lap of its indices, 65536 buffers. No frame may come twice or
 * damaged. Prints "LAPS N SENT N LOST N LATE N": of frames that were sent, those that did not
 * come, and those that others overtook (in QEMU, while a receive queue has no buffers).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dirty_client.h"
#include "vdpa_rig.h"

#define SIDES		2
#define SPACE		"\n "
/* Frames on their way to a side: less than it has buffers. */
#define WINDOW		64
#define BURST		16
/* In shadow for so many frames at most, in the log's time. */
#define STRETCH		3000
/* Two laps: in one of them the queue may not have been let go, for want of frames. */
#define LIMIT		(3 * 65536)
#define LOOK		1024
#define SEEN		8192
#define SETTLE_MS	2000

struct side {
	const char *name;
	struct rig rig;
	int log;
	__u32 sent;
	__u32 next;
	__u32 came;
	__u32 late;
	/* Those that came last, by number modulo SEEN. */
	__u32 seen[SEEN];
};

static const struct vmdev_dirty_iova_range range = { 0, 1 << 20 };
static struct side sides[SIDES];

static void fail(const struct side *s, const char *what, int err)
{
	printf("FAILED %s: %s: %s, %u sent, %u came\n", s->name, what, strerror(-err), s->sent,
	       s->next);
	exit(1);
}

/* Is each queue that hardware has on @path? */
static int all_are(const struct side *s, const char *path)
{
	char file[300], paths[200], *word;
	ssize_t n;
	int fd;

	snprintf(file, sizeof(file), "/sys/bus/vdpa/devices/%s/vmdev/paths", s->name);
	fd = open(file, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, paths, sizeof(paths) - 1);
	if (n <= 0)
		fail(s, file, -errno);
	close(fd);
	paths[n] = 0;
	for (word = strtok(paths, SPACE); word; word = strtok(NULL, SPACE))
		if (strcmp(word, "off") && strcmp(word, path))
			return 0;
	return 1;
}

static void open_side(struct side *s, const char *name, const char *dev)
{
	char path[300];
	int ret;

	s->name = name;
	ret = rig_up(&s->rig, dev, 0);
	if (!ret)
		ret = net_post_rx(&s->rig);
	if (ret)
		fail(s, "bring-up", ret);
	snprintf(path, sizeof(path), "/dev/vmdev/%s", name);
	s->log = dirty_open(path);
	if (s->log < 0)
		fail(s, path, s->log);
}

static void send_some(struct side *from, const struct side *to)
{
	unsigned int n = 0;

	net_reap_tx(&from->rig);
	while (n < BURST && from->sent - to->next < WINDOW &&
	       !net_send(&from->rig, to->rig.mac, from->sent, NET_MIN_FRAME)) {
		from->sent++;
		n++;
	}
	if (n)
		vq_kick(&from->rig.vq[NET_TX]);
}

static int take_some(struct side *s)
{
	__u32 seq, len;
	int ret, n = 0;

	while (!(ret = net_recv(&s->rig, &seq, &len))) {
		/* Older ones cannot be told from those that never came: they are no better. */
		if (s->seen[seq % SEEN] > seq)
			fail(s, "a frame came twice", -EEXIST);
		s->seen[seq % SEEN] = seq + 1;
		if (seq < s->next)
			s->late++;
		else
			s->next = seq + 1;
		s->came++;
		n++;
	}
	if (ret != -EAGAIN)
		fail(s, "receive", ret);
	return n;
}

/* Frames both ways, until so many more were sent by the first one. */
static void traffic(__u32 frames)
{
	__u32 end = sides[0].sent + frames;
	__u64 last = vc_now_ms();
	int i, n;

	while ((int)(sides[0].sent - end) < 0) {
		for (i = 0, n = 0; i < SIDES; i++) {
			send_some(&sides[i], &sides[!i]);
			n += take_some(&sides[i]);
		}
		if (n)
			last = vc_now_ms();
		else if (vc_now_ms() - last > RIG_WAIT_MS)
			fail(&sides[0], "nothing comes", -ETIMEDOUT);
		else
			vq_called(&sides[0].rig.vq[NET_RX], 1);
	}
}

/* What is on its way comes. */
static void settle(void)
{
	__u64 end = vc_now_ms() + SETTLE_MS;

	while (vc_now_ms() < end && sides[0].came + sides[1].came < sides[0].sent + sides[1].sent)
		if (!take_some(&sides[0]) && !take_some(&sides[1]))
			vc_sleep_us(1000);
}

static void to_shadow(struct side *s)
{
	__u64 page_size = 4096;
	int ret = dirty_start(s->log, 0, &page_size, &range, 1);

	if (ret)
		fail(s, "START", ret);
	if (!all_are(s, "shadow"))
		fail(s, "not in shadow", 0);
}

static void lap(void)
{
	__u32 begin;
	int i, ret;

	for (i = 0; i < SIDES; i++) {
		to_shadow(&sides[i]);
		traffic(rand() % STRETCH);
	}
	for (i = 0; i < SIDES; i++) {
		ret = dirty_stop(sides[i].log, 0);
		if (ret)
			fail(&sides[i], "STOP", ret);
	}
	begin = sides[0].sent;
	while (!all_are(&sides[0], "direct") || !all_are(&sides[1], "direct")) {
		if (sides[0].sent - begin > LIMIT)
			fail(&sides[!all_are(&sides[1], "direct")], "not direct again", 0);
		traffic(LOOK);
	}
}

int main(int argc, char **argv)
{
	int i, times;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2 + 2 * SIDES) {
		fprintf(stderr, "usage: laps TIMES NAME DEV NAME DEV\n");
		return 2;
	}
	times = atoi(argv[1]);
	srand(20260802);
	if (vc_unlimit_memlock())
		return 1;
	for (i = 0; i < SIDES; i++)
		open_side(&sides[i], argv[2 + 2 * i], argv[3 + 2 * i]);
	traffic(STRETCH);
	for (i = 0; i < SIDES; i++)
		if (!all_are(&sides[i], "direct"))
			fail(&sides[i], "not direct to begin with", 0);
	for (i = 0; i < times; i++)
		lap();
	traffic(STRETCH);
	settle();
	printf("LAPS %d SENT %u LOST %u LATE %u\n", times, sides[0].sent + sides[1].sent,
	       sides[0].sent + sides[1].sent - sides[0].came - sides[1].came,
	       sides[0].late + sides[1].late);
	for (i = 0; i < SIDES; i++)
		rig_close(&sides[i].rig);
	return 0;
}
