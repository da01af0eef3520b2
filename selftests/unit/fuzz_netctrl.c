// SPDX-License-Identifier: GPL-2.0
/*
 * The control queue of a net device (drivers/core/netctrl.c, ctrl_hw.c and
 * ctrl_state.c): a hostile driver, and hardware that answers whatever it likes.
 *
 * A model knows by the specification which commands make sense, which of them have
 * to be set again, and what is answered. The hardware is to be told those that make
 * sense and nothing else; when it was started anew, what is set, in the order it was
 * set. While the driver keeps to the rules of rings each buffer is given back once,
 * with the answer that was foretold; once it has written to its ring as it pleases, or
 * the hardware to its own, nobody crashes, leaks, or leaves anything mapped.
 */
#include "../kunit/fake_pages.h"
#include "../../drivers/core/drvring.c"
#undef VMDEV_HAS
#include "../../drivers/core/drvring_packed.c"
#undef VMDEV_DESC_AVAIL
#undef VMDEV_DESC_USED
#undef VMDEV_EVENT_WRAP
#include "../../drivers/core/drvring_split.c"
#include "../../drivers/core/vring.c"
#include "../../drivers/core/vring_packed.c"
#include "../../drivers/core/vring_split.c"
#include "../../drivers/core/maps.c"
#include "../../drivers/core/memory.c"
#include "../../drivers/core/alias.c"
#include "../../drivers/core/window.c"
#include "../../drivers/core/features.c"
#include "../../drivers/core/config.c"
#include "../../drivers/core/queue_check.c"
#include "../../drivers/core/ring_mem.c"
#include "../../drivers/core/ctrl_state.c"
#include "../kunit/fake_ctrl.h"
#include "../kunit/fake_guest.h"
#include <linux/delay.h>
#include <fuzz.h>

static bool more_work;

#undef fsleep
#define fsleep(us)			fake_ctrl_sleep(us)
#include "../../drivers/core/ctrl_hw.c"
#undef mod_delayed_work
#undef schedule_delayed_work
#define mod_delayed_work		see_mod
#define schedule_delayed_work		see_schedule

static bool see_mod(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay)
{
	more_work = true;
	return true;
}

static bool see_schedule(struct delayed_work *work, unsigned long delay)
{
	return true;
}

#include "../../drivers/core/netctrl.c"

#define LAST		0x7fffffffULL
#define CMD_MAX		(5 * 4096)
#define KEPT_MAX	64
#define OPS_MAX		64
#define RESTARTS_MAX	24

/**
 * struct kept - a command that has to be set again
 * @len: bytes
 * @data: the command
 */
struct kept {
	u32 len;
	u8 *data;
};

/**
 * struct netctrl_fuzz - all sides, and the model
 * @in: what happens
 * @c: the hardware, and the device
 * @g: the guest
 * @conf: what the hardware is to run
 * @asid: address space of the control queue
 * @vq: its number
 * @cmd: a command
 * @len: its length
 * @pieces: of the buffer that is out
 * @marked: bytes that were said to be written
 * @broke: the device broke
 * @polite: both keep to the rules, all the time
 * @hostile: the driver, or the hardware, did what it may not: nothing is foretold
 * @told: commands that the hardware was told
 * @want: what it is to be told now, NULL for nothing; with @hostile anything that
 *	makes sense
 * @want_len: bytes
 * @kept: model: what is set, the oldest first
 * @n: how many
 * @vlans: model: VLANs that are let through
 * @mac: model: address that the driver set
 * @restarts: of the hardware
 */
static struct netctrl_fuzz {
	struct fuzz_input *in;
	struct fake_ctrl c;
	struct fake_guest g;
	struct vmdev_vq_conf conf[FAKE_QUEUES];
	u8 asid;
	u16 vq;
	u8 cmd[CMD_MAX];
	u32 len;
	u32 pieces;
	u64 marked;
	bool broke;
	bool polite;
	bool hostile;
	u32 told;
	const u8 *want;
	u32 want_len;
	struct kept kept[KEPT_MAX];
	u32 n;
	bool vlans[4096];
	u8 mac[6];
	u32 restarts;
} f;

struct fake_ctrl *fake_ctrl_now;

/* Of all runs: answers that were foretold, and foreseen deaths; else anything went. */
enum { DONE, REFUSED, DEAD, ANYTHING, RESTARTED, STATS };
static unsigned long stats[STATS];

static void print_stats(void)
{
	fprintf(stderr, "Commands: %lu done, %lu refused, %lu deadly, ", stats[DONE],
		stats[REFUSED], stats[DEAD]);
	fprintf(stderr, "%lu hostile steps, %lu restarts\n", stats[ANYTHING], stats[RESTARTED]);
}

static void __attribute__((constructor)) print_stats_later(void)
{
	atexit(print_stats);
}

static struct vmdev_dev *dev(void)
{
	return &f.c.fake.dev;
}

/* --- what is the business of others ------------------------------------------------ */
void vmdev_log_mark_slow(struct vmdev_dev *d, unsigned int asid, u64 iova, u64 len)
{
	FUZZ_CHECK(asid == f.asid, "address space %u", asid);
	f.marked += len;
}

void vmdev_log_ring(struct vmdev_dev *d, u16 i)
{
	FUZZ_CHECK(i == f.vq, "queue %u", i);
}

void vmdev_call(spinlock_t *lock, const struct vdpa_callback *cb)
{
}

void vmdev_break(struct vmdev_dev *d, const char *why)
{
	f.broke = true;
	d->needs_reset = true;
}

/* --- the model ----------------------------------------------------------------------------- */
static u64 le(const u8 *p, u32 bytes)
{
	u64 v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

static bool has(unsigned int bit)
{
	return dev()->features >> bit & 1;
}

static u32 pairs(void)
{
	return dev()->prov.max_vqp;
}

/* Fields of the configuration (5.1.4), which tell only drivers that can use them. */
static u32 config_field(u32 at, u32 bytes)
{
	if (!has(57) && !has(60))
		return 0;
	return at + bytes <= f.c.fake.hw.caps.config_size ? le(f.c.fake.config + at, bytes) : 0;
}

/* A length and so many bytes, all there is. */
static bool key_ok(const u8 *p, s64 len)
{
	return len >= 1 && p[0] == len - 1 && p[0] <= config_field(17, 1);
}

static bool table_ok(const u8 *p, s64 len)
{
	int i;

	for (i = 0; i < 2; i++) {
		s64 n = len < 4 ? -1 : (s64)le(p, 4);

		if (n < 0 || 4 + 6 * n > len)
			return false;
		p += 4 + 6 * n;
		len -= 4 + 6 * n;
	}
	return !len;
}

static bool rss_ok(const u8 *p, s64 len)
{
	s64 n, i;

	if (len < 6)
		return false;
	n = le(p + 4, 2) + 1;
	if (__builtin_popcountll(n) != 1 || n > config_field(18, 2) || len < 6 + 2 + 2 * n + 2)
		return false;
	for (i = 0; i <= n; i++)
		if (le(p + 6 + 2 * i, 2) >= pairs())
			return false;
	p += 8 + 2 * n;
	return le(p, 2) >= 1 && le(p, 2) <= pairs() && key_ok(p + 2, len - 8 - 2 * n - 2);
}

/* Of a command that makes sense bytes that it asks for, beside the first; else -1. */
static int model_sense(const u8 *c, s64 len)
{
	const u8 *p = c + 2;
	bool ok = false;

	if (len < 2 || len > 16384)
		return -1;
	len -= 2;
	switch (c[0] << 8 | c[1]) {
	case 0x000: case 0x001:
		ok = has(18) && len == 1;
		break;
	case 0x002: case 0x003: case 0x004: case 0x005:
		ok = has(20) && len == 1;
		break;
	case 0x100:
		ok = has(18) && table_ok(p, len);
		break;
	case 0x101:
		ok = has(23) && len == 6;
		break;
	case 0x200: case 0x201:
		ok = has(19) && len == 2 && le(p, 2) < 4096;
		break;
	case 0x300:
		ok = has(21) && !len;
		break;
	case 0x400:
		ok = has(22) && len == 2 && le(p, 2) >= 1 && le(p, 2) <= pairs();
		break;
	case 0x401:
		ok = has(60) && rss_ok(p, len);
		break;
	case 0x402:
		ok = has(57) && len >= 13 && key_ok(p + 12, len - 12);
		break;
	case 0x500:
		ok = has(2) && len == 8 && !(le(p, 8) & ~dev()->features);
		break;
	case 0x600: case 0x601:
		ok = has(53) && len == 8;
		break;
	case 0x602:
		ok = has(52) && len == 12 && le(p, 2) < 2 * pairs();
		break;
	case 0x603:
		if (has(52) && len >= 4 && len <= 12 && le(p, 2) < 2 * pairs())
			return 8;
		break;
	}
	return ok ? 0 : -1;
}

static bool one_kind(const u8 *a, const u8 *b)
{
	if (a[0] != b[0] || a[1] != b[1])
		return false;
	return a[0] != 6 || a[1] != 2 || le(a + 2, 2) == le(b + 2, 2);
}

/* For all queues that send, or that receive, after for one of them (5.1.6.5.10). */
static bool overrides(const u8 *c, const u8 *old)
{
	return c[0] == 6 && c[1] < 2 && old[0] == 6 && old[1] == 2 && (old[2] & 1) == !c[1];
}

static bool of_queue_that_is_off(const u8 *c)
{
	return c[0] == 6 && c[1] == 2 && !f.c.fake.vqs[le(c + 2, 2)].on;
}

static void model_drop(u32 i)
{
	free(f.kept[i].data);
	memmove(&f.kept[i], &f.kept[i + 1], (--f.n - i) * sizeof(f.kept[0]));
}

/* It was carried out. */
static void model_set(const u8 *c, u32 len)
{
	u32 i;

	if (c[0] == 1 && c[1] == 1)
		memcpy(f.mac, c + 2, 6);
	if (c[0] == 2)
		f.vlans[le(c + 2, 2)] = !c[1];
	if (c[0] == 2 || c[0] == 3 || (c[0] == 6 && c[1] == 3))
		return;
	for (i = f.n; i--;)
		if (one_kind(f.kept[i].data, c) || overrides(c, f.kept[i].data))
			model_drop(i);
	FUZZ_CHECK(f.n < KEPT_MAX, "so many kinds?");
	f.kept[f.n].len = len;
	f.kept[f.n].data = memcpy(malloc(len), c, len);
	f.n++;
}

static void model_forget(void)
{
	while (f.n)
		model_drop(f.n - 1);
	memset(f.vlans, 0, sizeof(f.vlans));
	memset(f.mac, 0, sizeof(f.mac));
}

static const u8 *model_shown(void)
{
	if (!is_zero_ether_addr(f.mac))
		return f.mac;
	return is_zero_ether_addr(dev()->prov.mac) ? f.c.fake.config : dev()->prov.mac;
}

/* QEMU's own idea, which it sets before it starts any queue of data, where the device has one. */
static bool model_is_qemus(const u8 *c)
{
	return c[0] == 1 && c[1] == 1 && !is_zero_ether_addr(dev()->user_mac) &&
	       !memcmp(c + 2, dev()->user_mac, 6) && !f.c.fake.vqs[0].on &&
	       is_valid_ether_addr(model_shown()) && memcmp(c + 2, model_shown(), 6);
}

/* What the hardware is to be told when it starts, one after the other. */
static const u8 *model_next(u32 *at, u32 *len)
{
	static u8 data[8];
	u32 i = *at, vlan;

	if (!i && !is_zero_ether_addr(dev()->prov.mac) && is_zero_ether_addr(f.mac)) {
		memcpy(data, (u8[]){ 1, 1 }, 2);
		memcpy(data + 2, dev()->prov.mac, 6);
		*len = 8;
		*at = 1;
		return data;
	}
	i = i ? i - 1 : 0;
	while (i < f.n && of_queue_that_is_off(f.kept[i].data))
		i++;
	if (i < f.n) {
		*len = f.kept[i].len;
		*at = i + 2;
		return f.kept[i].data;
	}
	for (vlan = i - f.n; vlan < 4096 && !f.vlans[vlan]; vlan++)
		;
	*at = f.n + vlan + 2;
	*len = 4;
	memcpy(data, (u8[]){ 2, 0, vlan, vlan >> 8 }, 4);
	return vlan < 4096 ? data : NULL;
}

/* --- the hardware -------------------------------------------------------------------------- */
static u32 replay_at;
static bool replaying;

/* What the driver's ring says at this moment: the hardware is not to see anything else. */
static void hardware_told(void)
{
	const struct fake_ctrl_cmd *cmd = &f.c.cmds[(f.c.n - 1) % FAKE_CTRL_CMDS];
	u32 i, len = cmd->len, sum = 0;

	f.told++;
	if (replaying)
		f.want = model_next(&replay_at, &f.want_len);
	FUZZ_CHECK(f.want || f.hostile, "it is told %u bytes, %#x %#x", len, cmd->head[0],
		   cmd->head[1]);
	if (!f.want)
		return;
	for (i = 0; i < f.want_len; i++)
		sum += f.want[i];
	FUZZ_CHECK(len == f.want_len && cmd->sum == sum &&
		   !memcmp(cmd->head, f.want, min_t(u32, len, FAKE_CTRL_HEAD)),
		   "%u bytes, %#x %#x, not %u, %#x %#x", len, cmd->head[0], cmd->head[1],
		   f.want_len, f.want[0], f.want[1]);
	if (!replaying)
		f.want = NULL;
}

/* Anywhere in what it sees, the command excepted: that is read by now. */
static void hardware_scribbles(void)
{
	u8 *area = dev()->ctrl->hw.area;
	u32 size = sizeof(struct vmdev_ctrl_area), n = 1 + fuzz_u8(f.in) % 16;

	f.hostile = true;
	while (n--) {
		u32 at = fuzz_u16(f.in) % (fuzz_u8(f.in) & 1 ? 1024 : size);

		area[at] = fuzz_u8(f.in);
	}
}

static void hardware_kick(struct vmdev_hw *hw, u16 vq)
{
	u32 n = f.c.n;
	u8 what = fuzz_u8(f.in);

	/* Who is told nonsense is told it before it can do anything about it. */
	if (f.hostile) {
		const struct vmdev_drv *ring = &dev()->ctrl->hw.ring;
		u32 len = ring->descs[ring->newest].seg.len;

		FUZZ_CHECK(ring->newest == VMDEV_DRV_NONE || replaying ||
			   model_sense(dev()->ctrl->hw.out, len) >= 0, "nonsense of %u bytes",
			   len);
	}
	fake_ctrl_kick(hw, vq);
	if (f.c.n != n)
		hardware_told();
	if (!f.polite && (what & 0x1f) == 0x1f)
		hardware_scribbles();
}

static void hardware_kick_with_data(struct vmdev_hw *hw, u16 vq, u32 data)
{
	hardware_kick(hw, vq);
}

void fake_ctrl_sleep(unsigned long us)
{
	f.c.slept += us;
	FUZZ_CHECK(f.c.slept < 3000000, "it is waited for without end");
}

/* Its own, but for what the driver gave it. */
static int hardware_map(struct vmdev_hw *hw, u64 iova, u64 size, u64 pa, u32 perm)
{
	FUZZ_CHECK(iova > LAST, "memory of the guest's for the hardware");
	return fake_map(hw, iova, size, pa, perm);
}

static struct vmdev_hw_ops hardware_ops;

/* --- calls --------------------------------------------------------------------------------- */
static void lock(void)
{
	mutex_lock(&f.c.fake.parent.lock);
}

static void unlock(void)
{
	mutex_unlock(&f.c.fake.parent.lock);
}

static bool serves(void)
{
	return f.c.fake.vqs[f.vq].served;
}

static void set_moody(void)
{
	u8 mood = fuzz_u8(f.in);

	f.c.slept = 0;
	f.c.moody = f.c.n;
	/* Mostly it obeys. */
	f.c.mood = mood < 0xc0 ? FAKE_OBEY : FAKE_REFUSE + mood % FAKE_JUMP;
	if (f.c.mood == FAKE_LATE)
		f.c.mood = FAKE_SILENT;
	/* What is used is an index in split rings alone. */
	if (f.c.mood == FAKE_JUMP && f.g.packed)
		f.c.mood = FAKE_WRONG_ID;
}

static bool mood_refuses(void)
{
	return f.c.mood == FAKE_REFUSE || f.c.mood == FAKE_ODD || f.c.mood == FAKE_FORGET;
}

/* Starts the hardware, as vmdev_start() does. */
static void start_hardware(void)
{
	u32 told = f.told;
	u16 vq;
	int err;

	f.restarts++;
	memset(f.conf, 0, sizeof(f.conf));
	lock();
	err = vmdev_ctrl_hw_start(dev(), f.conf);
	unlock();
	for (vq = 0; vq < FAKE_QUEUES; vq++)
		if (f.conf[vq].enabled)
			fake_ctrl_start(&f.c, vq, &f.conf[vq]);
	FUZZ_CHECK(!err, "start: %d", err);

	replay_at = 0;
	replaying = true;
	lock();
	err = vmdev_ctrl_replay(dev());
	unlock();
	if (!err && !f.hostile)
		FUZZ_CHECK(!model_next(&replay_at, &f.want_len), "not all is set again");
	FUZZ_CHECK(!err || f.c.mood != FAKE_OBEY || f.hostile || f.c.fake.parent.gone,
		   "%d of hardware that obeys", err);
	FUZZ_CHECK(err || f.c.mood == FAKE_OBEY || f.told == told || f.hostile,
		   "it refused, and nobody minds");
	replaying = false;
	f.want = NULL;
	/* Then vmdev_start() fails, and the device with it. */
	if (err)
		vmdev_break(dev(), "the ring was unmapped");
}

static void open_queue(void)
{
	struct vmdev_vq_conf *conf = &f.c.fake.vqs[f.vq].conf;

	conf->desc = guest_iova(GUEST_DESC);
	conf->driver = guest_iova(GUEST_DRIVER);
	conf->device = guest_iova(GUEST_DEVICE);
	conf->size = f.g.num;
	conf->enabled = true;
	lock();
	if (vmdev_ctrl_open(dev(), f.vq))
		FUZZ_CHECK(f.hostile, "a ring that is as it has to be");
	unlock();
}

static void close_queue(bool state)
{
	if (!serves())
		return;
	lock();
	vmdev_ctrl_close(dev(), f.vq, state ? &f.c.fake.vqs[f.vq].conf.state : NULL);
	unlock();
}

static void stop_hardware(void)
{
	lock();
	vmdev_ctrl_hw_stop(dev());
	unlock();
}

/* Bounded: a ring has no more buffers than entries, and each is done once. */
static void work(void)
{
	u32 rounds = 0;

	do {
		more_work = false;
		vmdev_ctrl_work(&dev()->ctrl->work.work);
		FUZZ_CHECK(rounds++ < 100, "it never ends");
	} while (more_work);
	FUZZ_CHECK(!serves() || f.broke || !dev()->ctrl->guest.inflight,
		   "%u are not given back", dev()->ctrl->guest.inflight);
}

static void map_page(unsigned int page, u32 perm)
{
	lock();
	vmdev_mem_map(dev(), f.asid, guest_iova(page), PAGE_SIZE, virt_to_phys(f.g.page[page]),
		      perm);
	unlock();
}

static void fresh_ring(void)
{
	struct vdpa_vq_state *state = &f.c.fake.vqs[f.vq].conf.state;

	guest_clear(&f.g, has(34));
	memset(state, 0, sizeof(*state));
	if (f.g.packed) {
		state->packed.last_avail_counter = 1;
		state->packed.last_used_counter = 1;
	}
}

static void begin(void)
{
	unsigned int i;

	lock();
	dev()->mem.group_as[1] = f.asid;
	unlock();
	for (i = 0; i < GUEST_PAGES; i++)
		map_page(i, VHOST_ACCESS_RW);
	fresh_ring();
	f.hostile = false;
	f.broke = false;
	dev()->needs_reset = false;
	start_hardware();
	if (!f.broke)
		open_queue();
}

static void end(void)
{
	close_queue(false);
	stop_hardware();
	lock();
	vmdev_ctrl_forget(dev());
	vmdev_mem_clear(dev(), 0);
	vmdev_mem_clear(dev(), 1);
	unlock();
	model_forget();
	FUZZ_CHECK(list_empty(&dev()->mem.blocks) && f.c.fake.n_maps == f.c.fake.n_unmaps,
		   "something stays mapped");
}

/* --- commands ------------------------------------------------------------------------------ */
static void put(u64 v, u32 bytes)
{
	while (bytes--) {
		f.cmd[f.len++] = v;
		v >>= 8;
	}
}

static void put_table(void)
{
	u32 i, n = fuzz_u8(f.in) % 4, m = fuzz_u8(f.in) % 4;

	/* Six times that is 2 in 32 bits, and what follows fits. */
	if (fuzz_u8(f.in) % 8 == 7) {
		put(0x2aaaaaab, 4);
		put(0, 2);
		put(0, 4);
		return;
	}
	put(n, 4);
	for (i = 0; i < n; i++)
		put(fuzz_u32(f.in), 6);
	put(m, 4);
	for (i = 0; i < m; i++)
		put(fuzz_u32(f.in), 6);
}

static void put_key(void)
{
	u32 i, n = config_field(17, 1) ? fuzz_u8(f.in) % (config_field(17, 1) + 1) : 0;

	put(n, 1);
	for (i = 0; i < n; i++)
		put(i, 1);
}

static void put_rss(void)
{
	u32 i, n = 1 << fuzz_u8(f.in) % 8;

	put(fuzz_u32(f.in), 4);
	put(n - 1, 2);
	for (i = 0; i <= n; i++)
		put(fuzz_u8(f.in) % pairs(), 2);
	put(1 + fuzz_u8(f.in) % pairs(), 2);
	put_key();
}

/* One that makes sense, if its features are there. */
static void make_command(void)
{
	static const u8 kinds[][2] = {
		{ 0, 0 }, { 0, 1 }, { 0, 2 }, { 0, 3 }, { 0, 4 }, { 0, 5 }, { 1, 0 }, { 1, 1 },
		{ 2, 0 }, { 2, 1 }, { 3, 0 }, { 4, 0 }, { 4, 1 }, { 4, 2 }, { 5, 0 }, { 6, 0 },
		{ 6, 1 }, { 6, 2 }, { 6, 3 },
	};
	const u8 *kind = kinds[fuzz_u8(f.in) % ARRAY_SIZE(kinds)];

	f.len = 0;
	put(kind[0], 1);
	put(kind[1], 1);
	switch (kind[0] << 4 | kind[1]) {
	case 0x10:
		put_table();
		break;
	case 0x11:
		put(fuzz_u8(f.in) % 4 ? fuzz_u8(f.in) << 8 | 2 : le(dev()->user_mac, 6), 6);
		break;
	case 0x20: case 0x21:
		put(fuzz_u16(f.in) % (fuzz_u8(f.in) ? 16 : 4096), 2);
		break;
	case 0x30:
		break;
	case 0x40:
		put(1 + fuzz_u8(f.in) % pairs(), 2);
		break;
	case 0x41:
		put_rss();
		break;
	case 0x42:
		put(fuzz_u64(f.in), 8);
		put(fuzz_u64(f.in), 4);
		put_key();
		break;
	case 0x50:
		put(dev()->features & fuzz_u64(f.in), 8);
		break;
	case 0x60: case 0x61:
		put(fuzz_u64(f.in), 8);
		break;
	case 0x62:
		put(fuzz_u8(f.in) % (2 * pairs() + 1), 4);
		put(fuzz_u64(f.in), 8);
		break;
	case 0x63:
		put(fuzz_u8(f.in) % (2 * pairs() + 1), 4);
		break;
	default:
		put(fuzz_u8(f.in), 1);
	}
}

/* One that does not, perhaps. */
static void spoil_command(void)
{
	u8 how = fuzz_u8(f.in);
	u32 len;

	if (how & 1)
		f.cmd[fuzz_u16(f.in) % f.len] = fuzz_u8(f.in);
	if (how & 2 && f.len >= 6)
		put_unaligned_le32(fuzz_u64(f.in) % 3 ? fuzz_u32(f.in) : 0x2aaaaaab, f.cmd + 2);
	if (how & 4) {
		len = f.len + (s8)fuzz_u8(f.in) % 8;
		f.len = len <= CMD_MAX ? len : 0;
	}
	if (how == 0xff)
		f.len = 16380 + fuzz_u8(f.in) % 16;
}

/* By itself, in memory to the byte. */
static void check_alone(void)
{
	const struct vmdev_ctrl_limits limits = {
		.features = dev()->features,
		.max_vqp = pairs(),
		.rss_table_max = config_field(18, 2),
		.rss_key_max = config_field(17, 1),
	};
	u8 *copy = malloc(f.len);
	bool sense;

	memcpy(copy, f.cmd, f.len);
	sense = !vmdev_ctrl_check(&limits, copy, f.len);
	FUZZ_CHECK(sense == (model_sense(f.cmd, f.len) >= 0) || f.len > 16384,
		   "%#x %#x of %u bytes: %u", copy[0], copy[1], f.len, sense);
	free(copy);
}

/* Pieces to read, cut anywhere, and at least as many as needed to write. */
static u32 cut_command(struct guest_seg *seg, u32 room)
{
	u64 at = guest_iova(GUEST_OUT);
	u32 n = 0, left = f.len, part;

	guest_put(&f.g, at, f.cmd, f.len);
	while (left) {
		part = n < 4 && fuzz_u8(f.in) & 1 ? fuzz_u16(f.in) % (left + 1) : left;
		seg[n++] = (struct guest_seg) { at, part };
		at += part;
		left -= part;
	}
	at = guest_iova(GUEST_IN);
	for (left = room; left; left -= part) {
		part = n < 9 && fuzz_u8(f.in) & 1 ? fuzz_u8(f.in) % (left + 1) : left;
		seg[n++] = (struct guest_seg) { at, part, true };
		at += part;
	}
	return n;
}

/* What is in the first byte of the answer; bytes that are written in *len. */
static int foretell(u32 room, u32 *len)
{
	int result = model_sense(f.cmd, f.len);

	*len = min(room, 1U);
	if (result < 0 || room < 1U + result)
		return 1;
	if (model_is_qemus(f.cmd))
		return 0;
	f.want = f.cmd;
	f.want_len = f.len;
	if (f.c.mood != FAKE_OBEY)
		return 1;
	*len = 1 + result;
	return 0;
}

/*
 * Hardware that scribbled meanwhile may have carried it out or not, which nobody can
 * tell: then the model learns what the core made of it.
 */
static void learn(void)
{
	const struct vmdev_ctrl_cmd *cmd;
	u32 i;

	stats[ANYTHING]++;
	model_forget();
	list_for_each_entry(cmd, &dev()->ctrl->state.cmds, node) {
		FUZZ_CHECK(model_sense(cmd->data, cmd->len) == 0, "it remembers nonsense");
		model_set(cmd->data, cmd->len);
	}
	for (i = 0; i < 4096; i++)
		f.vlans[i] = test_bit(i, dev()->ctrl->state.vlans);
	memcpy(f.mac, dev()->driver_mac, 6);
}

static void step_command(void)
{
	struct guest_seg seg[12];
	u8 *answer = f.g.page[GUEST_IN];
	u32 n, room, len = 0;
	u64 marked = f.marked;
	bool dies, qemus;
	int ack;
	s64 got;

	make_command();
	if (fuzz_u8(f.in) & 1)
		spoil_command();
	check_alone();
	room = fuzz_u8(f.in) & 3 ? 9 : fuzz_u8(f.in) % 12;
	set_moody();
	memset(answer, 0xee, 16);
	n = cut_command(seg, room);
	if (!n || !serves() || f.broke || n > f.g.num)
		return;
	ack = foretell(room, &len);
	/* The hardware is told, and then it is of no use any more. */
	dies = f.want && f.c.mood != FAKE_OBEY && !mood_refuses();
	qemus = !ack && !f.want;
	if (has(28) && fuzz_u8(f.in) & 1) {
		guest_offer_table(&f.g, guest_iova(GUEST_IN) + 2048, seg, n);
		n = 1;
	} else {
		guest_offer(&f.g, seg, n);
	}
	work();
	if (f.hostile) {
		f.want = NULL;
		learn();
		return;
	}

	FUZZ_CHECK(!f.want || f.c.mood >= FAKE_SILENT, "the hardware is not told");
	f.want = NULL;
	got = guest_take(&f.g, n);
	FUZZ_CHECK(got == len, "%lld bytes, not %u", (long long)got, len);
	FUZZ_CHECK(guest_take(&f.g, 1) < 0, "it is given back again");
	FUZZ_CHECK(answer[0] == (len ? ack : 0xee), "answered %u, not %d", answer[0], ack);
	FUZZ_CHECK(answer[max(len, 1U)] == 0xee, "more is written than %u", len);
	FUZZ_CHECK(f.marked - marked == (dev()->logs[f.asid] ? len : 0), "%llu are marked of %u",
		   f.marked - marked, len);
	stats[dies ? DEAD : ack ? REFUSED : DONE]++;
	if (!ack && !qemus)
		model_set(f.cmd, f.len);
	FUZZ_CHECK(f.broke == dies, "broken: %u", f.broke);
}

/* --- a hostile driver ---------------------------------------------------------------------- */
static void step_scribble(void)
{
	unsigned int page = fuzz_u8(f.in) % GUEST_PAGES;
	u32 n = 1 + fuzz_u8(f.in) % 8;

	f.hostile = true;
	while (n--)
		f.g.page[page][fuzz_u16(f.in) % (fuzz_u8(f.in) & 1 ? 64 : 4096)] = fuzz_u8(f.in);
	work();
	learn();
}

/* A chain of anything. */
static void step_chain(void)
{
	struct guest_seg seg[8];
	u32 i, n = 1 + fuzz_u8(f.in) % ARRAY_SIZE(seg);

	f.hostile = true;
	make_command();
	guest_put(&f.g, guest_iova(GUEST_OUT), f.cmd, f.len);
	for (i = 0; i < n; i++)
		seg[i] = (struct guest_seg) {
			fuzz_u8(f.in) & 3 ? guest_iova(GUEST_OUT) + (s8)fuzz_u8(f.in) :
			fuzz_address(f.in),
			fuzz_u8(f.in) & 3 ? fuzz_u8(f.in) % 16 : fuzz_length(f.in),
			fuzz_u8(f.in) & 1,
		};
	guest_offer(&f.g, seg, n);
	work();
	learn();
}

/* Memory comes and goes. */
static void step_map(void)
{
	static const u32 perms[] = { 0, VHOST_ACCESS_RO, VHOST_ACCESS_WO, VHOST_ACCESS_RW };
	unsigned int page = fuzz_u8(f.in) % GUEST_PAGES;
	u32 perm = perms[fuzz_u8(f.in) % 4];

	f.hostile = true;
	lock();
	vmdev_mem_unmap(dev(), f.asid, guest_iova(page), PAGE_SIZE);
	unlock();
	if (perm)
		map_page(page, perm);
}

/* Hardware is started anew, and the queue goes on. */
static void step_restart(void)
{
	if (f.broke || f.restarts >= RESTARTS_MAX)
		return;
	close_queue(true);
	stop_hardware();
	set_moody();
	start_hardware();
	stats[RESTARTED] += !f.broke && f.n;
	if (!f.broke)
		open_queue();
}

/* The driver starts anew. */
static void step_reset(void)
{
	if (f.restarts >= RESTARTS_MAX)
		return;
	end();
	f.c.fake.parent.gone = false;
	f.c.mood = FAKE_OBEY;
	begin();
}

static void step_other(void)
{
	switch (fuzz_u8(f.in) % 3) {
	case 0:
		f.c.fake.vqs[0].on = !f.c.fake.vqs[0].on;
		break;
	case 1:
		fuzz_fill(f.in, dev()->user_mac, 6);
		break;
	default:
		f.c.fake.vqs[f.vq].doorbell = !f.c.fake.vqs[f.vq].doorbell;
	}
}

static void step(void)
{
	u8 what = fuzz_u8(f.in) % 16;

	switch (f.polite && what <= 2 ? 15 : what) {
	case 0:
		step_scribble();
		break;
	case 1:
		step_chain();
		break;
	case 2:
		step_map();
		break;
	case 3: case 4:
		step_restart();
		break;
	case 5:
		step_reset();
		break;
	case 6:
		step_other();
		break;
	default:
		step_command();
	}
}

/* --- a run --------------------------------------------------------------------------------- */
static void set_up(void)
{
	u64 features = fuzz_u64(f.in);
	u8 flags = fuzz_u8(f.in);
	static const u8 some[] = { 2, 18, 19, 20, 22, 23, 52, 53, 57, 60 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(some); i++)
		features |= flags & 0x80 ? BIT_ULL(some[i]) : 0;
	/* The device's own bits, and of those of rings the ones that matter. */
	features &= ~GENMASK_ULL(49, 24);
	features |= BIT_ULL(17) | BIT_ULL(5);
	features |= (flags & 1) ? BIT_ULL(34) : 0;
	features |= (flags & 2) ? BIT_ULL(29) : 0;
	features |= (flags & 4) ? BIT_ULL(28) : 0;
	features |= (flags & 8) ? BIT_ULL(38) : 0;
	features |= (flags & 16) ? BIT_ULL(35) : 0;
	f.asid = !!(flags & 32);
	f.polite = fuzz_u8(f.in) & 1;
	dev()->prov.features = features;
	dev()->features = features;
	dev()->prov.max_vqp = has(22) || has(60) ? 1 + fuzz_u8(f.in) % 4 : 1;
	dev()->nvqs = 2 * pairs() + 1;
	f.c.fake.parent.cvq = 2 * (pairs() + fuzz_u8(f.in) % 2);
	f.c.fake.hw.caps.features = ~0ULL;
	f.c.fake.hw.caps.config_size = fuzz_u8(f.in) & 7 ? 64 : fuzz_u8(f.in) % 25;
	f.c.fake.config[17] = fuzz_u8(f.in);
	f.c.fake.config[18] = fuzz_u8(f.in);
	f.c.fake.config[19] = fuzz_u8(f.in) % 2;
	/* An address that it has not reads as zero. */
	for (i = f.c.fake.hw.caps.config_size; i < 6; i++)
		f.c.fake.config[i] = 0;
	if (flags & 64)
		fuzz_fill(f.in, dev()->prov.mac, 6);
	f.vq = vmdev_cvq(dev());
	f.g.num = 16 << fuzz_u8(f.in) % 5;
	if (fuzz_u8(f.in) & 1)
		dev()->logs[f.asid] = (void *)&f;
}

FUZZ_TARGET(in)
{
	int i;

	memset(&f, 0, sizeof(f));
	f.in = in;
	fake_ctrl_init(&f.c, LAST);
	hardware_ops = fake_ctrl_ops;
	hardware_ops.kick = hardware_kick;
	hardware_ops.kick_with_data = hardware_kick_with_data;
	hardware_ops.map = hardware_map;
	f.c.fake.hw.ops = &hardware_ops;
	vmdev_mem_init(&dev()->mem);
	dev()->mem.user = true;
	/* The data queues' space, which has nothing in it, is another matter. */
	dev()->mem.loaded = VMDEV_AS_NONE;
	set_up();
	FUZZ_CHECK(guest_alloc(&f.g), "no pages");
	FUZZ_CHECK(!vmdev_ctrl_create(dev()), "no memory");
	begin();
	for (i = 0; i < OPS_MAX && in->left; i++)
		step();
	end();
	vmdev_ctrl_free(dev());
	vmdev_mem_destroy(&dev()->mem);
	guest_free(&f.g);
}
