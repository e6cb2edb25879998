# One object library a folder; the second word on is what it may see. The walls
# follow what headers need: conn/conn.h includes headers of net/, so whoever
# includes it must find them. That proto/ and api/ do not use net/ themselves is
# for scripts/check/layers to say, which reads each direct include.
cw_folder(base tbl)
cw_folder(codec base tbl)
cw_folder(net base tbl)
cw_folder(conn base net codec tbl)
cw_folder(pipe base codec tbl)
cw_folder(proto base codec pipe conn net tbl)
cw_folder(engine base codec net conn pipe proto tbl)
cw_folder(api engine base codec conn net pipe proto tbl)

get_property(objects GLOBAL PROPERTY CW_OBJECTS)
foreach(kind STATIC SHARED)
  string(TOLOWER curlew_${kind} target)
  add_library(${target} ${kind} ${objects})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME curlew
    LINKER_LANGUAGE C)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${CW_CORE}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  # Private: no public header names a type of theirs.
  target_link_libraries(${target} PRIVATE OpenSSL::SSL OpenSSL::Crypto
    ZLIB::ZLIB PkgConfig::CARES PkgConfig::PSL PkgConfig::SSH2 Threads::Threads)
endforeach()
set_target_properties(curlew_shared PROPERTIES VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR})
