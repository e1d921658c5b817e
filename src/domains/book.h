/* What `zygo work` runs: every kind of job and every scheduled task of the product. */
#pragma once

struct job_book;

extern const struct job_book zygo_book;
