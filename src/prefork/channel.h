/*
 * The channel between the master and one worker: a word a message, and beside CONNECTION the
 * descriptor of a kept connection. What a worker hands over waits in the kernel, so it survives
 * the master's own replacement.
 */
#pragma once

#include "base/base.h"

enum word {
	WORD_NONE,       /* nothing there now */
	WORD_CLOSED,     /* the other end is gone */
	WORD_READY,      /* worker: serves */
	WORD_DUE,        /* worker: served enough, wants a successor */
	WORD_CONNECTION, /* both: a connection between two requests */
	WORD_LEAVE,      /* master: successors serve: hand connections over and exit */
	WORD_STOP,       /* master: nobody comes after you: answer what is pending and exit */
};

/* Two ends, closed on exec; false (errno) when there are none to be had. */
bool channel_make(int ret_ends[2]) MUST_CHECK;

/*
 * Never waits. passed: a descriptor that goes along and stays the caller's to close, -1: none.
 * False when the queue is full or the other end is gone.
 */
bool channel_send(int end, enum word word, int passed);

/* The next message, without waiting. *ret_passed is the caller's to close; -1: none came along. */
enum word channel_receive(int end, int *ret_passed) MUST_CHECK;
