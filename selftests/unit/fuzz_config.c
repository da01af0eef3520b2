// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration space (drivers/core/config.c): any access, to hardware of any
 * size. Each byte has to be what was provisioned, what the hardware has, or 0;
 * the hardware must never be asked for what it has not.
 */
#include "../../drivers/core/config.c"
#include "../kunit/fake_hw.h"
#include <fuzz.h>

static u8 true_byte(const struct fake_hw *fake, u64 at)
{
	const struct vmdev_provision *prov = &fake->dev.prov;

	if (fake->parent.gone || fake->parent.offline)
		return 0;
	if (fake->hw.caps.device_id == VIRTIO_ID_NET) {
		if (at < 6 && !is_zero_ether_addr(prov->mac))
			return prov->mac[at];
		if (at == 8 || at == 9)
			return prov->max_vqp >> (8 * (at - 8));
		if ((at == 10 || at == 11) && prov->mtu)
			return prov->mtu >> (8 * (at - 10));
	}
	return at < fake->hw.caps.config_size ? fake->config[at] : 0;
}

static void check_get(struct fake_hw *fake, struct fuzz_input *in)
{
	u32 offset = fuzz_length(in), len = fuzz_u8(in), i;
	u8 *buf = malloc(len);

	fake->unsettled = fuzz_below(in, 6);
	vmdev_config_get(&fake->dev, offset, buf, len);
	for (i = 0; i < len; i++)
		FUZZ_CHECK(buf[i] == true_byte(fake, (u64)offset + i),
			   "byte %u of %u at %u", i, len, offset);
	free(buf);
}

static void check_set(struct fake_hw *fake, struct fuzz_input *in)
{
	u32 offset = fuzz_length(in), len = fuzz_u8(in), i;
	bool fits = (u64)offset + len <= fake->hw.caps.config_size &&
		    offset < fake->hw.caps.config_size &&
		    fake->hw.caps.device_id != VIRTIO_ID_NET &&
		    !fake->parent.gone && !fake->parent.offline;
	u8 before[FAKE_CONFIG_SIZE], *buf = malloc(len);

	memcpy(before, fake->config, sizeof(before));
	fuzz_fill(in, buf, len);
	vmdev_config_set(&fake->dev, offset, buf, len);
	for (i = 0; i < FAKE_CONFIG_SIZE; i++) {
		bool in_it = fits && i >= offset && i - offset < len;

		FUZZ_CHECK(fake->config[i] == (in_it ? buf[i - offset] : before[i]),
			   "byte %u, %u at %u", i, len, offset);
	}
	free(buf);
}

static void check_field(struct fake_hw *fake, struct fuzz_input *in)
{
	u32 offset = fuzz_length(in);
	u16 value = vmdev_config_le16(&fake->hw, offset);
	u16 expected = (u64)offset + 2 <= fake->hw.caps.config_size ?
		       fake->config[offset] | fake->config[offset + 1] << 8 : 0;

	FUZZ_CHECK(value == expected, "%#x at %u", value, offset);
}

FUZZ_TARGET(in)
{
	static const u32 ids[] = { VIRTIO_ID_NET, VIRTIO_ID_BLOCK, 26 };
	struct fake_hw *fake = calloc(1, sizeof(*fake));

	fake_hw_init(fake, ids[fuzz_below(in, ARRAY_SIZE(ids))]);
	fake->hw.caps.config_size = fuzz_below(in, FAKE_CONFIG_SIZE + 1);
	fake->dev.prov.max_vqp = fuzz_u16(in);
	fake->dev.prov.mtu = fuzz_u16(in);
	fuzz_fill(in, fake->dev.prov.mac, ETH_ALEN);
	while (in->left) {
		switch (fuzz_u8(in) % 8) {
		case 0:
			fake->parent.gone = !fake->parent.gone;
			break;
		case 1:
			check_set(fake, in);
			break;
		case 2:
			check_field(fake, in);
			break;
		default:
			check_get(fake, in);
		}
	}
	FUZZ_CHECK(!fake->strays, "%u accesses beyond the configuration", fake->strays);
	free(fake);
}
