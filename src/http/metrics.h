/*
 * What Prometheus reads of this host: the scoreboard as text (exposition format 0.0.4). All
 * workers' numbers come from any worker, since they share it.
 *
 * To add a metric: a row in metrics.c, or a writer there when it has labels.
 */
#pragma once

#include "base/base.h"

struct buf;
struct ctx;
struct scoreboard;

/* Once in each worker. */
void metrics_init(const struct scoreboard *b);

void metrics_write(struct buf *out);

/*
 * Whether METRICS_ALLOW lets who asks read them. ip: whom they are believed to be; forwarded: their
 * X-Forwarded-For or NULL. Where no proxy is trusted, an address that forwards for others is not
 * whose it would have to be.
 */
bool metrics_may_be_read(const char *ip, const char *forwarded);

/*
 * What others have to say beside: write is asked at each reading, with the ctx of the request, and
 * writes nothing where it fails. At start; at most four.
 */
void metrics_also(void (*write)(struct ctx *c, struct buf *out));
void metrics_write_others(struct ctx *c, struct buf *out);
