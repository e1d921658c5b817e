/*
 * The live copy of each event, for the realtime server: a message on the channel events:{<tenant>}
 * (cache/publish.h),
 *
 *	{"position":7,"after":4,"id":…,"type":…,"tenantId":…,"subjectId":…,"userId":…,"data":{…},"at":…}
 *
 * told in order of position, at least once. Where Redis is away nobody is told; whoever missed
 * something, which "after" (the tenant's event before it) shows, reads event_log from the position
 * that it knows.
 */
#pragma once

struct ctx;
struct rows;

/* rows of spine_live; for the table of readers. */
void live_tell(struct ctx *c, const struct rows *rows);
