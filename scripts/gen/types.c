/*
 * Annotations of the Lua side for language servers: a class of the options of
 * each handle, of the infos, of the constants, and the names that stand for
 * values and errors.
 */
#include "rows.h"

#include <string.h>

struct word_pair {
  const char *word;
  const char *type;
};

#define ADDRESS "{ip: string, port: integer}"
#define GO_ON   "boolean?, any?"

static const struct word_pair shapes[] = {
    {"view_to_count",
     "fun(view: curlew.view, data: any): integer|boolean|nil, any?"},
    {"message_to_count",
     "fun(message: curlew.message, data: any): integer|boolean|nil, any?"},
    {"line_to_count",
     "fun(line: string, data: any): integer|boolean|nil, any?"},
    {"fill_to_count", "fun(buffer: curlew.view, data: any): "
                      "string|curlew.view|integer|nil, any?"},
    {"seek", "fun(offset: integer, origin: \"set\", data: any): "
             "boolean|\"cantseek\"|nil, any?"},
    {"ioctl", "fun(command: \"restartread\", data: any): "
              "boolean|\"unknowncmd\"|\"failrestart\"|nil, any?"},
    {"trailer",
     "fun(data: any): string[]|table<string,string>|boolean|nil, any?"},
    {"four_integers", "fun(dltotal: integer, dlnow: integer, ultotal: integer, "
                      "ulnow: integer, data: any): boolean|integer|nil, any?"},
    {"four_floats", "fun(dltotal: number, dlnow: number, ultotal: number, "
                    "ulnow: number, data: any): boolean|integer|nil, any?"},
    {"kind_and_view",
     "fun(kind: curlew.debug, view: curlew.view, data: any): " GO_ON},
    {"socket", "fun(socket: curlew.socket, purpose: curlew.socktype, "
               "data: any): boolean|\"already_connected\"|nil, any?"},
    {"address_to_fd", "fun(purpose: curlew.socktype, address: curlew.address, "
                      "data: any): integer|table|userdata|false|nil, any?"},
    {"fd", "fun(fd: integer, data: any)"},
    {"ssl_ctx",
     "fun(ctx: curlew.ssl_ctx, data: any): boolean|integer|string|nil, any?"},
    {"resolver", "fun(host: string, port: integer, resolver: curlew.resolver, "
                 "data: any): string[]|boolean|nil, any?"},
    {"peer_and_local",
     "fun(peer: " ADDRESS ", here: " ADDRESS ", data: any): " GO_ON},
    {"ssh_key", "fun(known: table?, found: table, match: curlew.khmatch, "
                "data: any): curlew.khstat|boolean|nil, any?"},
    {"ssh_hostkey", "fun(type: curlew.khtype, key: string, data: any): " GO_ON},
    {"file_info", "fun(file: table, remaining: integer, data: any): "
                  "boolean|\"skip\"|nil, any?"},
    {"nothing", "fun(data: any): " GO_ON},
    {"two_strings", "fun(pattern: string, name: string, data: any): any, any?"},
    {"hsts_read", "fun(data: any): table?, any?"},
    {"hsts_write", "fun(entry: table, index: integer, total: integer, "
                   "data: any): " GO_ON},
    {"convert", "fun(bytes: string, data: any): string?, any?"},
    {"socket_wish", "fun(fd: integer, what: curlew.poll, assigned: any, "
                    "data: any): " GO_ON},
    {"timer_wish", "fun(timeout_ms: integer, data: any): " GO_ON},
    {"push", "fun(parent: curlew.easy, easy: curlew.easy, headers: table, "
             "data: any): " GO_ON},
    {"notice",
     "fun(kind: curlew.notify, easy: curlew.easy?, data: any): " GO_ON},
    {NULL, NULL}};

static const struct word_pair kinds[] = {
    {"bool", "boolean|integer"},
    {"int", "integer"},
    {"ms", "integer"},
    {"seconds", "integer"},
    {"bytes", "integer"},
    {"str", "string"},
    {"secret", "string"},
    {"path", "string"},
    {"blob", "string"},
    {"list", "string[]|table<string,string>"},
    {"object", "userdata|table|lightuserdata"},
    {"data", "any"},
    {"callback", "function"},
    {NULL, NULL}};

static const struct word_pair info_kinds[] = {
    {"str", "string?"},   {"long", "integer"},  {"double", "number"},
    {"off_t", "integer"}, {"list", "string[]"}, {"socket", "integer"},
    {"ptr", "any"},       {NULL, NULL}};

static const char *find_type(const struct word_pair *pairs, const char *word) {
  for (; pairs->word; pairs++) {
    if (is_same(pairs->word, word)) {
      return pairs->type;
    }
  }
  return NULL;
}

const char *shape_type(const char *shape) {
  return find_type(shapes, shape);
}

/* The annotation of a callback option by the row that names it. */
static const char *callback_type(const char *option,
                                 const struct callback_row *calls) {
  for (; calls->name; calls++) {
    if (is_same(calls->fn_option, option)) {
      return shape_type(calls->shape);
    }
  }
  return "function";
}

static void put_type(FILE *out, const struct option_row *row,
                     const struct callback_row *calls) {
  if (is_same(row->kind, "enum")) {
    fprintf(out, "curlew.%s", row->group);
  } else if (is_same(row->kind, "flags")) {
    fprintf(out, "curlew.%s|curlew.%s[]", row->group, row->group);
  } else if (is_same(row->kind, "callback")) {
    fprintf(out, "(%s)|table|userdata", callback_type(row->name, calls));
  } else {
    fputs(find_type(kinds, row->kind), out);
  }
}

static void put_class(FILE *out, const char *name,
                      const struct option_row *rows,
                      const struct callback_row *calls) {
  fprintf(out, "---@class %s\n", name);
  for (const struct option_row *row = rows; row->name; row++) {
    fprintf(out, "---@field %s? ", row->name);
    put_type(out, row, calls);
    fprintf(out, " %s%s\n", row->prose,
            is_built(row->feature) ? "" : " Not built in.");
  }
  putc('\n', out);
}

static void put_info_class(FILE *out) {
  fputs("---@class curlew.info\n", out);
  for (const struct number_row *row = infos; row->name; row++) {
    fprintf(out, "---@field %s %s %s\n", row->name,
            find_type(info_kinds, row->kind), row->prose);
  }
  putc('\n', out);
}

static void put_group_aliases(FILE *out) {
  for (const struct group_row *group = groups; group->name; group++) {
    fprintf(out, "---%s\n---@alias curlew.%s\n---| integer\n", group->prose,
            group->name);
    for (const struct constant_row *row = constants; row->name; row++) {
      if (is_same(row->group, group->name)) {
        fprintf(out, "---| \"%s\" # %s\n", row->name, row->prose);
      }
    }
    putc('\n', out);
  }
}

static void put_error_alias(FILE *out, const char *category,
                            const struct number_row *rows) {
  fprintf(out, "---@alias curlew.%s_error\n", category);
  for (const struct number_row *row = rows; row->name; row++) {
    fprintf(out, "---| \"%s\" # %lld, %s\n", row->name, (long long)row->number,
            row->prose);
  }
  putc('\n', out);
}

/* Lua has the C name without "CW_" or "CW". */
static const char *lua_name(const char *c_name) {
  return c_name + (c_name[2] == '_' ? 3 : 2);
}

static void put_constants(FILE *out) {
  fputs("---@class curlew.constants\n", out);
  for (const struct constant_row *row = constants; row->name; row++) {
    fprintf(out, "---@field %s integer %lld, %s\n", lua_name(row->c_name),
            (long long)row->value, row->prose);
  }
  putc('\n', out);
}

void write_types(FILE *out) {
  fputs("---@meta _\n"
        "-- Written by scripts/gen/run from libcore/tbl; change the rows "
        "there.\n-- luacheck: ignore\n\n",
        out);
  put_class(out, "curlew.options", options, callbacks);
  put_class(out, "curlew.multi_options", moptions, mcallbacks);
  put_info_class(out);
  put_constants(out);
  put_group_aliases(out);
  put_error_alias(out, "easy", errors);
  put_error_alias(out, "multi", merrors);
  put_error_alias(out, "url", uerrors);
  put_error_alias(out, "share", sherrors);
}
