# The server that tests/real/test_real_rtsp.c and specs start: GStreamer's, in a
# program without anything of ours and without sanitizers.
pkg_check_modules(GSTRTSP REQUIRED IMPORTED_TARGET
  gstreamer-rtsp-server-1.0 gio-2.0)
add_executable(rtsp_server ${CMAKE_SOURCE_DIR}/tests/servers/rtsp_server.c)
target_compile_options(rtsp_server PRIVATE -fno-sanitize=all)
target_link_options(rtsp_server PRIVATE -fno-sanitize=all)
target_link_libraries(rtsp_server PRIVATE PkgConfig::GSTRTSP)
