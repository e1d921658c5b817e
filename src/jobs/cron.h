/*
 * When a cron expression (base/cron.h) comes next.
 *
 * When both days are restricted, either suffices, as in every cron since 1979.
 *
 * Where clocks change, a task with fixed hours runs once a day: one that falls into the hour that
 * is left out runs at the moment of the change, one in the hour that comes twice runs the first
 * time. A task whose hour starts with * goes by the time that really passes.
 */
#pragma once

#include "base/cron.h"

struct zone;

/* The first time after after_us, in microseconds; 0: none in the next nine years. */
int64_t cron_next(const struct cron *c, const struct zone *z, int64_t after_us);
