/* What a multi notifies its application of. */
#include "engine/multi.h"

void cw_notices_init(struct cw_notices *notices) {
  cw_list_init(&notices->queue);
  notices->info_read.kind = CWMNOTIFY_INFO_READ;
}

static void queue(struct cw_multi *multi, struct cw_notice *notice) {
  bool wanted = multi->notices.enabled & (1u << notice->kind);
  if (wanted && !cw_node_is_linked(&notice->node)) {
    cw_list_add_tail(&multi->notices.queue, &notice->node);
  }
}

void cw_notify_ended(struct cw_multi *multi, struct cw_easy *easy,
                     bool messages_waited) {
  easy->ended.easy = easy;
  easy->ended.kind = CWMNOTIFY_EASY_DONE;
  queue(multi, &easy->ended);
  if (!messages_waited) {
    queue(multi, &multi->notices.info_read);
  }
}

void cw_notify_forget(struct cw_multi *multi, struct cw_easy *easy) {
  cw_list_remove(&multi->notices.queue, &easy->ended.node);
}

void cw_notify_tell(struct cw_multi *multi) {
  struct cw_notices *notices = &multi->notices;
  struct cw_node *node = cw_list_take_head(&notices->queue);
  while (node) {
    /* The callback may free the transfer and the notice with it. */
    struct cw_notice notice = *CW_CONTAINER(node, struct cw_notice, node);
    cw_notify_fn fn = (cw_notify_fn)multi->option[cw_mopt_notifyfunction].f;
    if (fn && (notices->enabled & (1u << notice.kind))) {
      notices->telling = true;
      fn(multi, notice.kind, notice.easy, multi->option[cw_mopt_notifydata].p);
      notices->telling = false;
    }
    node = cw_list_take_head(&notices->queue);
  }
}

enum cw_mcode cw_notify_enable(struct cw_multi *multi, unsigned kind,
                               bool enable) {
  if (kind != CWMNOTIFY_INFO_READ && kind != CWMNOTIFY_EASY_DONE) {
    return CWM_UNKNOWN_OPTION;
  }
  unsigned bit = 1u << kind;
  multi->notices.enabled =
      enable ? multi->notices.enabled | bit : multi->notices.enabled & ~bit;
  return CWM_OK;
}
