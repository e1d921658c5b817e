/*
 * What systemd wants to hear of a service (sd_notify(3)): a datagram to NOTIFY_SOCKET. Without that
 * variable nothing is sent.
 */
#pragma once

#include "base/base.h"

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_alive(void);

/* How often systemd wants to hear that we live, µs; 0: it does not ask. */
int64_t notify_watchdog_us(void);
