/*
 * Functions that this project does not call, each with what to use instead (as git's banned.h).
 * A use fails to compile with the name of this macro in the message.
 */
#pragma once

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BANNED(func) sorry_##func##_is_banned_here_see_base_banned_h

/* unbounded or easily truncated: arena_printf, buf_*, str_* */
#undef strcpy
#define strcpy(x, y) BANNED(strcpy)
#undef strcat
#define strcat(x, y) BANNED(strcat)
#undef strncpy
#define strncpy(x, y, n) BANNED(strncpy)
#undef strncat
#define strncat(x, y, n) BANNED(strncat)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef gets
#define gets(x) BANNED(gets)

/* hidden state: str_cut */
#undef strtok
#define strtok(x, y) BANNED(strtok)

/* no error, or errno only: str_to_i64 */
#undef atoi
#define atoi(x) BANNED(atoi)
#undef atol
#define atol(x) BANNED(atol)
#undef strtol
#define strtol(x, y, z) BANNED(strtol)
#undef sscanf
#define sscanf(...) BANNED(sscanf)

/* shared buffers, local time: clock_* */
#undef gmtime
#define gmtime(x) BANNED(gmtime)
#undef localtime
#define localtime(x) BANNED(localtime)
#undef ctime
#define ctime(x) BANNED(ctime)
#undef asctime
#define asctime(x) BANNED(asctime)

/* changes what strtod() and printf() read and write: all is in the "C" locale */
#undef setlocale
#define setlocale(x, y) BANNED(setlocale)

/* a shell between us and the program: fork, execv */
#undef system
#define system(x) BANNED(system)
#undef popen
#define popen(x, y) BANNED(popen)

/* predictable: random_bytes */
#undef rand
#define rand() BANNED(rand)
#undef mktemp
#define mktemp(x) BANNED(mktemp)

/* unbounded stack: the arena */
#undef alloca
#define alloca(x) BANNED(alloca)

/*
 * The heap belongs to base/ and to the wrappers of libraries; everyone else has an arena.
 * A file that is one of those says so before its first include.
 */
#ifndef ZYGO_MAY_ALLOCATE
#undef malloc
#define malloc(x) BANNED(malloc)
#undef calloc
#define calloc(x, y) BANNED(calloc)
#undef realloc
#define realloc(x, y) BANNED(realloc)
#undef strdup
#define strdup(x) BANNED(strdup)
#endif
