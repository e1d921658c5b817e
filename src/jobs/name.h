/*
 * What a worker is called in job_workers: its host, its master and itself. A process id alone may
 * soon be somebody else's; with the moment that the process began it cannot.
 */
#pragma once

#include "base/base.h"

#include <sys/types.h>

#define NAME_SIZE 160

/* "host/712.48223" */
void name_of_master(pid_t pid, char ret[NAME_SIZE]);

/* "host/712.48223/714.48225" */
void name_of_worker(const char *master, pid_t pid, char ret[NAME_SIZE]);

/* Whether the process of that name, one of this host, is there. One that is not never comes back.
 */
bool name_is_alive(const char *name);
