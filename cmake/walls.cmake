# The walls of the house: each folder of libcore is an object library whose
# include path holds only the folders that it may see. They are reached through
# links in the build tree, one folder a root, so that "base/buf.h" is found
# where base/ is allowed and nowhere else.
set(CW_WALLS ${CMAKE_BINARY_DIR}/walls)
set(CW_CORE ${CMAKE_SOURCE_DIR}/libcore)

function(cw_wall name)
  file(MAKE_DIRECTORY ${CW_WALLS}/${name})
  file(CREATE_LINK ${CW_CORE}/${name} ${CW_WALLS}/${name}/${name} SYMBOLIC)
endfunction()
foreach(folder tbl base codec net conn pipe proto engine api)
  cw_wall(${folder})
endforeach()

# cw_folder(name folder...): the object library cw_<name> and what it may see
# beside the public headers and itself.
function(cw_folder name)
  file(GLOB sources CONFIGURE_DEPENDS ${CW_CORE}/${name}/*.c)
  if(NOT sources)
    return()
  endif()
  add_library(cw_${name} OBJECT ${sources})
  target_include_directories(cw_${name} PRIVATE ${CW_CORE}/include
    ${CW_WALLS}/${name})
  foreach(folder ${ARGN})
    target_include_directories(cw_${name} PRIVATE ${CW_WALLS}/${folder})
  endforeach()
  target_link_libraries(cw_${name} PRIVATE cw_flags OpenSSL::SSL ZLIB::ZLIB
    PkgConfig::CARES PkgConfig::PSL PkgConfig::SSH2)
  set_property(GLOBAL APPEND PROPERTY CW_OBJECTS $<TARGET_OBJECTS:cw_${name}>)
endfunction()
