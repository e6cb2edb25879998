/*
 * Part of every Criterion program: an assertion that fails in a .fini fails the
 * program. Criterion itself prints it and calls the test passed.
 */
#include <criterion/criterion.h>
#include <criterion/hooks.h>

ReportHook(POST_ALL)(struct criterion_global_stats *stats) {
  if (stats->asserts_failed > 0 && stats->tests_failed == 0) {
    stats->tests_failed = 1; /* decides how the program ends */
  }
}
