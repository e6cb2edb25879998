/* The process's environment, read here and nowhere else. */
#ifndef CW_ENGINE_ENV_H
#define CW_ENGINE_ENV_H

/* The value of a variable, or NULL if it is not set, empty, or not to be
   trusted because the program runs with other rights than its caller. Borrowed
   from the environment: good until somebody changes that. */
const char *cw_env(const char *name);

#endif
