/* What an admin, a monitor and a developer ask of the API itself: health, metrics, documents.
 */
#pragma once

#include "http/route.h"

extern const struct mount system_mount;
