/* The readers of events as the platform's people see them; what they are stands in events/reader.h.
 */
#pragma once

struct mount;

extern const struct mount events_mount;
