/* What rows of options.def cannot say about a value. */
#ifndef CW_ENGINE_RULES_H
#define CW_ENGINE_RULES_H

#include "engine/options.h"

/* CWE_BAD_FUNCTION_ARGUMENT: no value of the enum. CWE_NOT_BUILT_IN. */
CW_MUST_CHECK enum cw_code cw_rules_check(enum cw_opt opt, int64_t value,
                                          struct cw_fail *fail);
/* What setting opt changes in others; for postfields value says whether there
   are any. */
void cw_rules_apply(struct cw_options *options, enum cw_opt opt, int64_t value);

#endif
