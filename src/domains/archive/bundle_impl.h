/* What a bundle's writer and reader share. */
#pragma once

#include "base/base.h"
#include "base/id.h"
#include "crypto/sealstream.h"

struct arena;

#define BUNDLE_MAGIC_BYTES 8
#define BUNDLE_HEAD_BYTES  (BUNDLE_MAGIC_BYTES + 16 + SEALSTREAM_HEAD_BYTES) /* magic, tenant */
#define BUNDLE_CHUNK_BYTES (SEALSTREAM_CHUNK_BYTES + SEALSTREAM_EXTRA_BYTES)

/* What a bundle begins with: the last is the version of its format. */
static const char bundle_magic[BUNDLE_MAGIC_BYTES] = { 'Z', 'Y', 'G', 'O', 'A', 'R', 'C', '1' };

/* What ties the sealed key to its bundle. */
struct str bundle_aad(struct arena *a, struct tenant_id t);
