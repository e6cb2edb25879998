# Warnings and sanitizers, once for every target of ours.
add_library(cw_flags INTERFACE)
target_compile_options(cw_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
  -Wmissing-prototypes -fno-common)
target_compile_definitions(cw_flags INTERFACE _GNU_SOURCE
  CURLEW_VERSION="${PROJECT_VERSION}")
if(CURLEW_WERROR)
  target_compile_options(cw_flags INTERFACE -Werror)
endif()
if(CURLEW_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer
    -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()
if(CURLEW_TSAN)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
endif()
if(CURLEW_FUZZ)
  # libFuzzer finds its way by what the library's own code counts.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
