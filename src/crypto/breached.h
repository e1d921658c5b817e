/*
 * Passwords that were in others' leaks, by a copy of Have I Been Pwned's range files that is kept
 * here: nobody is asked, so nobody learns even five digits of a hash.
 */
#pragma once

#include "base/base.h"
#include "base/str.h"

/*
 * folder holds 00000.txt to FFFFF.txt, named after the first five hexadecimal digits of passwords'
 * SHA-1; each line is the other 35, a colon and how often it was seen (0: padding). A file that is
 * not there has none, so that part of them serves too.
 */
bool password_is_breached(const char *folder, struct str password);
