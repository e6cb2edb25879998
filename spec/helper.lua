-- Where the specs find the library: CURLEW_BUILD names the build folder.
local build = os.getenv "CURLEW_BUILD" or "build/debug"
package.cpath = build .. "/lua/?.so;" .. package.cpath
package.path = "lua/?.lua;" .. package.path
