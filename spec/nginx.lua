-- A real nginx for specs, over HTTP and, for "localhost", over HTTPS: files of
-- its folder www/ under /, PUT under /put/, and /again/x, which is /put/x by a
-- 307.
local daemon = require "spec.daemon"

local nginx = {}

local SETTINGS = [[
worker_processes 1;
daemon off;
master_process off;
pid %DIR/nginx.pid;
error_log %DIR/error.log;
events { worker_connections 500; }
http {
  access_log off;
  default_type text/plain;
  client_body_temp_path %DIR/t1;
  proxy_temp_path %DIR/t2;
  fastcgi_temp_path %DIR/t3;
  uwsgi_temp_path %DIR/t4;
  scgi_temp_path %DIR/t5;
  server {
    listen 127.0.0.1:%PORT;
    listen 127.0.0.1:%TLS ssl;
    ssl_certificate %DIR/cert.pem;
    ssl_certificate_key %DIR/key.pem;
    root %DIR/www;
    location /put/ { dav_methods PUT; create_full_put_path on; }
    location ~ ^/again/(.*)$ { return 307 /put/$1; }
    %MORE
  }
}
]]

-- more: further lines of its server block.
function nginx.start(more)
  local self = daemon.new("nginx", "/usr/sbin/nginx")
  self.tls_port = daemon.free_port()
  self:certify()
  daemon.sh(("mkdir '%s/www' '%s/www/put'"):format(self.dir, self.dir))
  self:write("www/hello", "hello from nginx\n")
  self:write("nginx.conf", (SETTINGS:gsub("%%(%u+)", { DIR = self.dir,
    PORT = self.port, TLS = self.tls_port, MORE = more or "" })))
  self.url = ("http://127.0.0.1:%d"):format(self.port)
  self.tls_url = ("https://localhost:%d"):format(self.tls_port)
  return self:start(("-p '%s' -c '%s/nginx.conf'"):format(self.dir, self.dir),
    function()
      return daemon.answers(self.port)
    end)
end

function nginx.shared()
  return daemon.shared("nginx", nginx.start)
end

return nginx
