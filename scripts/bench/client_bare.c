/*
 * The bench's lower bound: epoll, a fixed request, and nothing more of HTTP
 * than finding Content-Length. With https it is OpenSSL by itself.
 * See bench.h; easy is get on one connection.
 *
 *     client_bare ports N     prints N free ports of the loopback
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#define CHUNK_BYTES (256 * 1024)
#define HEAD_BYTES  4096

struct place {
  bool tls;
  char host[128];
  char port[8];
  const char *path;
};

struct link {
  struct bench *bench;
  long number;
  int fd, file;
  SSL *ssl;
  char head[HEAD_BYTES];
  size_t head_len;
  bool in_body, has_bytes;
  uint64_t left;
};

static struct place place;
static SSL_CTX *tls;
static int poller;
static long holding;
static char chunk[CHUNK_BYTES];

static void split_url(const char *url) {
  place.tls = strncmp(url, "https://", 8) == 0;
  const char *host = strstr(url, "://");
  const char *colon = host ? strchr(host + 3, ':') : NULL;
  place.path = colon ? strchr(colon, '/') : NULL;
  if (!place.path) {
    bench_die("URL", "scheme://host:port/path is wanted");
  }
  (void)snprintf(place.host, sizeof(place.host), "%.*s",
                 (int)(colon - host - 3), host + 3);
  (void)snprintf(place.port, sizeof(place.port), "%.*s",
                 (int)(place.path - colon - 1), colon + 1);
}

static void secure(struct link *l) {
  l->ssl = SSL_new(tls);
  if (!l->ssl || SSL_set_fd(l->ssl, l->fd) != 1 ||
      SSL_set1_host(l->ssl, place.host) != 1 || SSL_connect(l->ssl) != 1) {
    bench_die("TLS", "the handshake failed");
  }
}

static void dial(struct link *l) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  struct addrinfo *found = NULL;
  if (getaddrinfo(place.host, place.port, &hints, &found) != 0) {
    bench_die("cannot resolve", place.host);
  }
  l->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (l->fd < 0 || connect(l->fd, found->ai_addr, found->ai_addrlen) != 0) {
    bench_die("cannot connect", strerror(errno));
  }
  freeaddrinfo(found);
  int on = 1;
  (void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (place.tls) {
    secure(l);
  }
  (void)fcntl(l->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = l}};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, l->fd, &event) != 0) {
    bench_die("epoll_ctl", strerror(errno));
  }
}

/* Requests are small and the connection idle: a short write is a failure. */
static void ask(struct link *l) {
  struct bench *b = l->bench;
  if (b->started >= b->count) {
    return;
  }
  char url[512], request[1024], path[512];
  long index = b->started++;
  bench_url(b, index, url, sizeof(url));
  int n = snprintf(request, sizeof(request),
                   "GET %s HTTP/1.1\r\nHost: %s:%s\r\nAccept: */*\r\n\r\n",
                   strchr(strstr(url, "://") + 3, '/'), place.host, place.port);
  if (b->mode == BENCH_FILE || b->mode == BENCH_FILES) {
    bench_path(b, l->number, index, path, sizeof(path));
    l->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (l->file < 0) {
      bench_die("cannot write", path);
    }
  }
  l->in_body = false;
  l->head_len = 0;
  ssize_t sent = l->ssl ? SSL_write(l->ssl, request, n)
                        : send(l->fd, request, (size_t)n, MSG_NOSIGNAL);
  if (sent != n) {
    bench_die("cannot send", strerror(errno));
  }
}

static void finish(struct link *l) {
  if (l->file >= 0) {
    (void)close(l->file);
    l->file = -1;
  }
  l->bench->done++;
  ask(l);
}

static void take_body(struct link *l, const char *bytes, size_t n) {
  if (n > l->left) {
    bench_die("answer", "longer than announced");
  }
  if (l->file >= 0 && n > 0 && write(l->file, bytes, n) != (ssize_t)n) {
    bench_die("cannot write", strerror(errno));
  }
  if (n > 0 && !l->has_bytes) {
    l->has_bytes = true;
    holding++;
  }
  l->bench->bytes += n;
  l->left -= n;
  if (l->left == 0) {
    finish(l);
  }
}

static void take(struct link *l, const char *bytes, size_t n) {
  if (l->in_body) {
    take_body(l, bytes, n);
    return;
  }
  size_t room = HEAD_BYTES - 1 - l->head_len;
  size_t kept = n < room ? n : room;
  size_t before = l->head_len;
  memcpy(l->head + l->head_len, bytes, kept);
  l->head_len += kept;
  l->head[l->head_len] = '\0';
  const char *end = strstr(l->head, "\r\n\r\n");
  if (!end) {
    if (kept < n) {
      bench_die("answer", "the head is too long");
    }
    return;
  }
  const char *length = strcasestr(l->head, "\r\nContent-Length:");
  if (!length || length > end) {
    bench_die("answer", "no Content-Length");
  }
  l->left = strtoull(length + 17, NULL, 10);
  l->in_body = true;
  size_t used = (size_t)(end + 4 - l->head) - before;
  take_body(l, bytes + used, n - used);
}

/* True: there may be more. */
static bool pull(struct link *l) {
  ssize_t n = l->ssl ? SSL_read(l->ssl, chunk, CHUNK_BYTES)
                     : recv(l->fd, chunk, CHUNK_BYTES, 0);
  if (n > 0) {
    take(l, chunk, (size_t)n);
    return l->ssl ? SSL_pending(l->ssl) > 0 : n == CHUNK_BYTES;
  }
  if (l->ssl ? SSL_get_error(l->ssl, (int)n) != SSL_ERROR_WANT_READ
             : n == 0 || errno != EAGAIN) {
    bench_die("receive", "the connection ended");
  }
  return false;
}

static bool goes_on(const struct bench *b, double *pheld_since) {
  if (b->mode != BENCH_HOLD || holding < b->connections) {
    return b->done < b->count;
  }
  if (*pheld_since == 0) {
    *pheld_since = bench_wall();
  }
  return bench_wall() - *pheld_since < BENCH_HOLD_S;
}

static void run(struct bench *b, struct link *links) {
  for (long i = 0; i < b->connections; i++) {
    links[i] = (struct link){.bench = b, .number = i, .file = -1};
    dial(&links[i]);
    ask(&links[i]);
  }
  double held_since = 0;
  while (goes_on(b, &held_since)) {
    struct epoll_event events[256];
    int n = epoll_wait(poller, events, 256, 1000);
    for (int i = 0; i < n; i++) {
      while (pull(events[i].data.ptr)) {
      }
    }
  }
  bench_end(b);
}

static int print_ports(long n) {
  for (long i = 0; i < n; i++) {
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) != 0) {
      bench_die("no port", strerror(errno));
    }
    printf("%d\n", ntohs(addr.sin_port)); /* kept open: the next is another */
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "ports") == 0) {
    return print_ports(atol(argv[2]));
  }
  struct bench b = bench_args(argc, argv);
  split_url(b.url);
  if (place.tls) {
    tls = SSL_CTX_new(TLS_client_method());
    if (!tls || !b.ca || SSL_CTX_load_verify_locations(tls, b.ca, NULL) != 1) {
      bench_die("TLS", "BENCH_CA is wanted");
    }
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
  }
  struct link *links = calloc((size_t)b.connections, sizeof(*links));
  poller = epoll_create1(EPOLL_CLOEXEC);
  if (!links || poller < 0) {
    bench_die("memory", "none");
  }
  bench_begin(&b);
  run(&b, links);
  return 0;
}
