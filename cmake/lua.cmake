# The Lua module (target curlew_lua) and the program (target curlew_program);
# cmake/install.cmake installs them by these names.
