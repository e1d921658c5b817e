/*
 * Organisations: the tenants of the person at the dashboard. They are the account's affair, so the
 * rules are identity's.
 */
#pragma once

struct mount;

extern const struct mount organisations_mount;
