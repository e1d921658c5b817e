/*
 * The process that sends webhooks, a side of `zygo work`. As many as are started, on as many hosts,
 * share the work: take_webhooks() in sql/migrations/0039.
 */
#pragma once

struct worker;

#define WEBHOOKS_SIDE "webhooks"

int webhooks_run(struct worker *w);
