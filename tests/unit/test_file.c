/* Small files read and replaced whole. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

struct folder {
  char path[64];
  char file[96];
};

static struct folder make_folder(void) {
  struct folder f = {.path = "/tmp/curlew-file.XXXXXX"};
  cr_assert_not_null(mkdtemp(f.path));
  (void)snprintf(f.file, sizeof(f.file), "%s/store", f.path);
  return f;
}

static void remove_folder(const struct folder *f) {
  (void)unlink(f->file);
  cr_assert_eq(rmdir(f->path), 0, "something else is left in the folder");
}

static void assert_holds(const char *path, const char *text) {
  struct cw_buf buf;
  int os_errno = -1;
  cw_buf_init(&buf, 1024);
  cr_assert_eq(cw_file_read(path, &buf, &os_errno), CW_OK);
  cr_assert_eq(os_errno, 0);
  cr_assert(cw_slice_eq_str(cw_buf_slice(&buf), text));
  cw_buf_fini(&buf);
}

Test(file, is_made_for_its_owner_and_replaced_with_its_permissions) {
  struct folder f = make_folder();
  struct stat st;
  int os_errno = -1;
  cr_assert_eq(cw_file_replace(f.file, cw_slice_str("one"), &os_errno), CW_OK);
  cr_assert_eq(os_errno, 0);
  assert_holds(f.file, "one");
  cr_assert_eq(stat(f.file, &st), 0);
  cr_assert_eq(st.st_mode & 0777, 0600);
  cr_assert_eq(chmod(f.file, 0640), 0);
  cr_assert_eq(cw_file_replace(f.file, cw_slice_str(""), &os_errno), CW_OK);
  assert_holds(f.file, "");
  cr_assert_eq(stat(f.file, &st), 0);
  cr_assert_eq(st.st_mode & 0777, 0640);
  remove_folder(&f);
}

Test(file, behind_a_link_is_replaced_and_the_link_stays) {
  struct folder f = make_folder();
  char link[96];
  struct stat st;
  int os_errno;
  (void)snprintf(link, sizeof(link), "%s/link", f.path);
  cr_assert_eq(cw_file_replace(f.file, cw_slice_str("old"), &os_errno), CW_OK);
  cr_assert_eq(symlink(f.file, link), 0);
  cr_assert_eq(cw_file_replace(link, cw_slice_str("new"), &os_errno), CW_OK);
  cr_assert_eq(lstat(link, &st), 0);
  cr_assert(S_ISLNK(st.st_mode));
  assert_holds(f.file, "new");
  (void)unlink(link);
  remove_folder(&f);
}

Test(file, that_is_not_there_or_too_large_is_told) {
  struct folder f = make_folder();
  struct cw_buf buf;
  int os_errno;
  cw_buf_init(&buf, 4);
  cr_assert_eq(cw_file_read(f.file, &buf, &os_errno), CWE_READ_ERROR);
  cr_assert_eq(os_errno, ENOENT);
  cr_assert_eq(cw_file_read(f.path, &buf, &os_errno), CWE_READ_ERROR);
  cr_assert_eq(os_errno, EISDIR);
  cr_assert_eq(cw_file_replace(f.file, cw_slice_str("12345"), &os_errno),
               CW_OK);
  cr_assert_eq(cw_file_read(f.file, &buf, &os_errno), CWE_TOO_LARGE);
  cw_buf_fini(&buf);
  remove_folder(&f);
}

Test(file, that_cannot_be_written_leaves_nothing) {
  struct folder f = make_folder();
  char path[128];
  int os_errno = 0;
  (void)snprintf(path, sizeof(path), "%s/none/store", f.path);
  cr_assert_eq(cw_file_replace(path, cw_slice_str("x"), &os_errno),
               CWE_WRITE_ERROR);
  cr_assert_eq(os_errno, ENOENT);
  /* A folder is in the way: the temporary file goes away again. */
  (void)snprintf(path, sizeof(path), "%s/folder", f.path);
  cr_assert_eq(mkdir(path, 0700), 0);
  cr_assert_eq(cw_file_replace(path, cw_slice_str("x"), &os_errno),
               CWE_WRITE_ERROR);
  cr_assert_neq(os_errno, 0);
  cr_assert_eq(rmdir(path), 0);
  remove_folder(&f);
}
