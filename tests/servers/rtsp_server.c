/*
 * A GStreamer RTSP server for tests/real: a tone (A-law, 8000 Hz) and a small
 * test picture, over TCP only.
 *
 *   rtsp_server CERT.pem KEY.pem
 *
 * Says "PORT TLSPORT" on its output when it listens, on 127.0.0.1, and runs
 * until it is killed. /test is for everybody, /auth for me with secret (Basic
 * or Digest). What clients record to /record (A-law) is thrown away.
 */
#include <gst/gst.h>
#include <gst/rtsp-server/rtsp-server.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char pipeline[] =
    "( audiotestsrc is-live=true samplesperbuffer=160 ! "
    "audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay0 pt=8 "
    "videotestsrc is-live=true ! "
    "video/x-raw,format=UYVY,width=64,height=48,framerate=25/1 ! "
    "rtpvrawpay name=pay1 pt=97 )";

static const char recorder[] =
    "( rtppcmadepay name=depay0 ! alawdec ! fakesink async=false )";

static void add_stream(GstRTSPServer *server, const char *path,
                       const char *role, GstRTSPTransportMode mode) {
  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_transport_mode(factory, mode);
  gst_rtsp_media_factory_set_launch(
      factory, mode == GST_RTSP_TRANSPORT_MODE_PLAY ? pipeline : recorder);
  gst_rtsp_media_factory_set_protocols(factory, GST_RTSP_LOWER_TRANS_TCP);
  gst_rtsp_media_factory_add_role(
      factory, role, GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN, TRUE,
      GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, NULL);
  /* Who may see a stream but not have it made is asked for a login. */
  if (strcmp(role, "anyone") != 0) {
    gst_rtsp_media_factory_add_role(factory, "anyone",
                                    GST_RTSP_PERM_MEDIA_FACTORY_ACCESS,
                                    G_TYPE_BOOLEAN, TRUE, NULL);
  }
  GstRTSPMountPoints *mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, path, factory);
  g_object_unref(mounts);
}

static void add_users(GstRTSPAuth *auth) {
  GstRTSPToken *anyone = gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE,
                                            G_TYPE_STRING, "anyone", NULL);
  GstRTSPToken *me = gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE,
                                        G_TYPE_STRING, "me", NULL);
  gchar *basic = gst_rtsp_auth_make_basic("me", "secret");
  gst_rtsp_auth_set_default_token(auth, anyone);
  gst_rtsp_auth_set_supported_methods(
      auth, (GstRTSPAuthMethod)(GST_RTSP_AUTH_BASIC | GST_RTSP_AUTH_DIGEST));
  gst_rtsp_auth_add_basic(auth, basic, me);
  gst_rtsp_auth_add_digest(auth, "me", "secret", me);
  g_free(basic);
  gst_rtsp_token_unref(anyone);
  gst_rtsp_token_unref(me);
}

static int start(const char *cert, const char *key) {
  GError *error = NULL;
  GstRTSPServer *server = gst_rtsp_server_new();
  GstRTSPAuth *auth = gst_rtsp_auth_new();
  gst_rtsp_server_set_address(server, "127.0.0.1");
  gst_rtsp_server_set_service(server, "0");
  add_stream(server, "/test", "anyone", GST_RTSP_TRANSPORT_MODE_PLAY);
  add_stream(server, "/auth", "me", GST_RTSP_TRANSPORT_MODE_PLAY);
  add_stream(server, "/record", "anyone", GST_RTSP_TRANSPORT_MODE_RECORD);
  add_users(auth);
  if (cert) {
    GTlsCertificate *tls = g_tls_certificate_new_from_files(cert, key, &error);
    if (!tls) {
      fprintf(stderr, "%s: %s\n", cert, error->message);
      exit(1);
    }
    gst_rtsp_auth_set_tls_certificate(auth, tls);
    g_object_unref(tls);
  }
  gst_rtsp_server_set_auth(server, auth);
  g_object_unref(auth);
  if (gst_rtsp_server_attach(server, NULL) == 0) {
    fprintf(stderr, "the server cannot listen\n");
    exit(1);
  }
  return gst_rtsp_server_get_bound_port(server);
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: rtsp_server CERT.pem KEY.pem\n");
    return 2;
  }
  gst_init(NULL, NULL);
  int port = start(NULL, NULL);
  int tls_port = start(argv[1], argv[2]);
  printf("%d %d\n", port, tls_port);
  fflush(stdout);
  g_main_loop_run(g_main_loop_new(NULL, FALSE));
  return 0;
}
