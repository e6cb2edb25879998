---@meta curlew

-- The surface of the module for editors (LuaLS). Options, infos, constants and
-- names of errors are in curlew_options.lua, which is generated.
-- spec/types_spec.lua compares the names here with what is there.

---@class curlew: curlew.constants
---@field sink curlew.sinks
---@field source curlew.sources
---@field safe curlew the same, where what fails is nil, err
---@field PAUSE integer what a callback returns to pause
local cw = {}

---One request and its answer. A status of 404 is an answer.
---@param url string
---@param opts curlew.request_options?
---@return curlew.response
function cw.get(url, opts) end

---The same with the URL among the options; any method.
---@param opts curlew.request_options
---@return curlew.response
function cw.request(opts) end

---A request whose body is read as it comes.
---@param url string|curlew.request_options
---@param opts curlew.request_options?
---@return curlew.stream_reader
function cw.open(url, opts) end

---Makes the body of one request the body that another one sends.
---@param from string|curlew.request_options|curlew.stream_reader
---@param to string|curlew.request_options PUT where no method is named
---@return curlew.response
function cw.pipe(from, to) end

---@param opts curlew.options|{body_as: "view"|"string"?, error_style: "throw"|"return"?}?
---@return curlew.easy
function cw.easy(opts) end

---@param opts curlew.multi_options|{net: curlew.vnet?}?
---@return curlew.multi
function cw.multi(opts) end

---Runs fn with a loop under it; returns its results.
---@param fn function
---@param opts {net: curlew.vnet?, multi: curlew.multi?}?
---@param ... any for fn
---@return any ...
function cw.run(fn, opts, ...) end

---Runs fn(...) beside the caller.
---@param fn function
---@param ... any
---@return curlew.task
function cw.spawn(fn, ...) end

---fn(item, index) for each item, side by side; the results in order.
---@generic T, R
---@param list T[]|fun(): T?
---@param fn fun(item: T, index: integer): R
---@param opts {concurrency: integer?}?
---@return R[]
function cw.all(list, fn, opts) end

---@param seconds number
function cw.sleep(seconds) end

---Waits for a task, for an object with a method wait, or for fn(resume, fail)
---to have one of its arguments called.
---@param what curlew.task|function|{wait: function}
---@param ... any
---@return any ...
function cw.wait(what, ...) end

---Waits for arm(resume, fail, loop); the function that it returns cancels.
---@param arm fun(resume: function, fail: function, loop: table): function?
---@return any ...
function cw.await(arm) end

---The monotonic time of the loop that runs, and its wall clock, in seconds.
---@return number now
---@return integer wall
function cw.now() end

---Listens; on_accept(stream) runs as a task for each connection.
---@param opts {ip: string?, port: integer?, tls: curlew.server_tls?, on_accept: fun(stream: curlew.stream, listener: curlew.listener), multi: curlew.multi?}
---@return curlew.listener
function cw.listen(opts) end

---A peer in this process, for opensocketfunction to return; fn(stream) is the
---other end, as a task.
---@param fn fun(stream: curlew.stream)
---@return {getfd: fun(self: table, address: curlew.address): integer}
function cw.pair(fn) end

---The multi of the loop that runs.
---@return curlew.multi
function cw.current_multi() end

---Closes the loop that is used outside cw.run, with its connections.
function cw.close_default() end

---A digest: "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b" or
---"blake2s".
---@param algorithm string
---@return curlew.digest
function cw.digest(algorithm) end

---@param text string?
---@param base string? what a relative text is resolved against
---@return curlew.url
function cw.url(text, base) end

---A network in memory with a clock of its own.
---@param opts {seed: integer?, wall: integer?}?
---@return curlew.vnet
function cw.vnet(opts) end

---Where an error was thrown: of an error, or of a handle's last transfer.
---@param what any
---@return string?
function cw.traceback(what) end

---@param bytes string|curlew.view
---@return string
function cw.escape(bytes) end

---@param text string|curlew.view
---@return string
function cw.unescape(text) end

---@return string
function cw.version() end

---Which features are built in; of one name, whether it is.
---@param name string?
---@return table<string, boolean>|boolean
function cw.features(name) end

---Each option as a row.
---@return fun(): {name: string, number: integer, kind: string, feature: string, built: boolean, group: string?, default: integer?, alias: string?}?
function cw.options() end

---Each callback of an easy handle, or of a multi, as a row; holds, stop and
---stop_code are those of an easy's alone.
---@param handle ("easy"|"multi")?
---@return fun(): {name: string, option: string, data: string, shape: string, holds: string?, method: string, stop: string?, stop_code: integer?, feature: string, may_pend: boolean, built: boolean}?
function cw.callbacks(handle) end

---Each info: its name and kind.
---@return fun(): string?, string?
function cw.infos() end

---The sentence of a code.
---@param code integer
---@param category ("easy"|"multi"|"url")?
---@return string
function cw.strerror(code, category) end

---@param category "easy"|"multi"|"url"|"share"|"mime"
---@param code integer|curlew.easy_error|curlew.multi_error|curlew.url_error
---@param detail string?
---@param cause any what made it fail
---@return curlew.error
function cw.new_error(category, code, detail, cause) end

-- --- requests -----------------------------------------------------------------

---@class curlew.request_options
---@field url string?
---@field method string?
---@field query table<string, any>|string?
---@field headers table<string, string|number|false|string[]>?
---@field body string|function|file*|curlew.source|curlew.stream_reader?
---@field form table<string, any>|string?
---@field json any
---@field multipart curlew.mime_part[]|curlew.mime?
---@field sink curlew.sink|file*|table|(fun(view: curlew.view): any)?
---@field max_body integer? bytes of a body that is kept whole
---@field timeout number? seconds
---@field connect_timeout number? seconds
---@field follow boolean|integer?
---@field auth {user: string, password: string}?
---@field bearer string?
---@field verify boolean?
---@field ca string? PEM text or a path
---@field cert string? PEM text or a path
---@field key string? PEM text or a path
---@field key_password string?
---@field proxy string? not built in
---@field user_agent string?
---@field range string|integer[]?
---@field options curlew.options? any of the library's
---@field multi curlew.multi?

---@class curlew.headers
---@field [string] string? by name in any case, joined by ", "
local headers = {}

---All values of a field, in order.
---@param name string
---@return string[]
function headers:all(name) end

---@class curlew.response
---@field status integer
---@field ok boolean status is 2xx
---@field headers curlew.headers
---@field trailers curlew.headers
---@field body string? absent where a sink took it
---@field url string the last one, after redirects
---@field time table<string, number> seconds: namelookup, connect, appconnect, pretransfer, starttransfer, total, redirect
---@field size integer body bytes received
---@field http_version string?
---@field redirects integer
---@field remote {ip: string, port: integer}?
local response = {}

---The body as JSON.
---@return any value
---@return string? problem
function response:json() end

---What cw.open gives: a response whose body is read as it comes.
---@class curlew.stream_reader: curlew.response
local stream_reader = {}

---The next piece as a view, good until the next call; nil at the end.
---@return curlew.view?
function stream_reader:next_view() end

---What read or lines have left over, else the next view.
---@return string|curlew.view|nil
function stream_reader:next_piece() end

---@return fun(): string?
function stream_reader:chunks() end

---@return fun(): curlew.view?
function stream_reader:views() end

---@return fun(): string?
function stream_reader:lines() end

---n bytes, fewer only at the end; without n all of the rest; nil at the end.
---@param n integer?
---@return string?
function stream_reader:read(n) end

function stream_reader:close() end

-- --- handles ------------------------------------------------------------------

---@class curlew.easy
---@field info curlew.info facts of the last transfer
local easy = {}

---Runs the transfer to its end.
---@param name string|curlew.options|nil an option to set before, or a table
---@param value any
---@return curlew.easy
function easy:perform(name, value) end

---@param name string|curlew.options
---@param value any
---@return curlew.easy
function easy:setopt(name, value) end

---@param name string
---@return curlew.easy
function easy:unsetopt(name) end

---@param name string
---@return any
function easy:getopt(name) end

---@param name string
---@return any
function easy:getinfo(name) end

---The headers of the last answer: name, value, "header" or "trailer".
---@return fun(): string?, string?, string?
function easy:headers() end

---@param name string
---@return string?
function easy:header(name) end

---@param ... "recv"|"send"|"all"|integer
---@return curlew.easy
function easy:pause(...) end

---@param ... "recv"|"send"|"all"|integer
---@return curlew.easy
function easy:unpause(...) end

---Ends the running transfer.
---@param code (integer|curlew.easy_error)? "cancelled"
---@return curlew.easy
function easy:cancel(code) end

---Writes what is known of HSTS: the file of the option `hsts`, then each entry to
---hstswritefunction. Closing does the same and cannot say what failed.
---@return curlew.easy
function easy:hsts_flush() end

---All options back to their defaults.
---@return curlew.easy
function easy:reset() end

---Ends the transfer and frees the handle. May be called twice.
function easy:close() end

---A handle with the same options.
---@return curlew.easy
function easy:clone() end

---@return string
function easy:phase() end

---The sentence of the last failure.
---@return string
function easy:detail() end

---@return string
function easy:why_new_connection() end

---@return integer
function easy:id() end

---@return boolean
function easy:closed() end

---Which attempt errors say that it is.
---@param n integer
---@return curlew.easy
function easy:attempt(n) end

---@class curlew.multi
local multi = {}

---@param handle curlew.easy
---@return curlew.multi
function multi:add(handle) end

---Ends a transfer without a result.
---@param handle curlew.easy
---@return boolean was_here
function multi:remove(handle) end

---Iterates over transfers as they end.
---@return fun(): curlew.easy?, boolean?, any
function multi:done() end

---The next transfer that has ended; does not wait.
---@return curlew.easy? handle
---@return boolean? ok
---@return any err
function multi:next_done() end

---Waits until a transfer has ended.
---@return curlew.easy? handle
---@return boolean? ok
---@return any err
function multi:wait() end

---One turn that waits for at most that many seconds.
---@param timeout number?
---@return integer running
function multi:turn(timeout) end

---@param name string|curlew.multi_options
---@param value any
---@return curlew.multi
function multi:setopt(name, value) end

---@param name string
---@return any
function multi:getopt(name) end

---What notifyfunction is told of; nothing at first.
---@param ... curlew.notify|integer
---@return curlew.multi
function multi:notify_enable(...) end

---@param ... curlew.notify|integer
---@return curlew.multi
function multi:notify_disable(...) end

---Seconds until the next timer.
---@return number?
function multi:timeout() end

---A descriptor that is readable when there is something to do.
---@return integer?
function multi:fd() end

---The same, by the name that other loops ask for.
---@return integer?
function multi:pollfd() end

---What fd is to be watched for.
---@return "r"
function multi:events() end

---Serves one socket, or with nil the timer.
---@param fd integer?
---@param ... "in"|"out"|"inout"|"err"|integer
---@return integer running
function multi:socket_action(fd, ...) end

---What socketfunction gets for that descriptor.
---@param fd integer
---@param value any
---@return curlew.multi
function multi:assign(fd, value) end

---@param name string
---@return integer?
function multi:count(name) end

---@return curlew.vnet?
function multi:net() end

---@return boolean
function multi:closed() end

function multi:close() end

---@class curlew.task
local task = {}

---@return "running"|"done"|"failed"|"cancelled"
function task:state() end

---The results of the task; throws what it threw.
---@return any ...
function task:wait() end

---Ends the task where it waits.
---@return curlew.task
function task:cancel() end

-- --- bytes --------------------------------------------------------------------

---@class curlew.view
---@operator len: integer
local view = {}

---@param i integer?
---@param j integer?
---@return integer ...
function view:byte(i, j) end

---@param i integer?
---@param j integer?
---@return curlew.view
function view:sub(i, j) end

---@param what string|curlew.view
---@param init integer?
---@return integer? first
---@return integer? last
function view:find(what, init) end

---@param i integer?
---@param j integer?
---@return string
function view:string(i, j) end

---@param fmt string
---@param pos integer?
---@return any ...
function view:unpack(fmt, pos) end

---@return fun(): string?
function view:lines() end

---@param bytes string|curlew.view
---@return boolean
function view:equals(bytes) end

---@return string
function view:hex() end

---@param file file*|{write: function}
---@return curlew.view
function view:write(file) end

---A view that stays good.
---@return curlew.view
function view:pin() end

---Puts bytes there, in the view of a readfunction; the position behind them.
---@param bytes string|curlew.view
---@param pos integer?
---@return integer
function view:set(bytes, pos) end

---@param byte integer|string
---@param i integer?
---@param j integer?
---@return curlew.view
function view:fill(byte, i, j) end

---@return integer
function view:len() end

---Whether it may still be used.
---@return boolean
function view:valid() end

---One interleaved message of RTSP, with its head of four bytes.
---@class curlew.message: curlew.view
---@field channel integer
---@field payload curlew.view what is behind the head

---@class curlew.sinks
local sinks = {}

---@param path string
---@param flags {manual: boolean?, keep_partial: boolean?, resume: boolean?, direct: boolean?, sync: boolean?}?
---@return curlew.sink
function sinks.file(path, flags) end

---@param fd integer
---@return curlew.sink
function sinks.fd(fd) end

---@param max_bytes integer? 1 GiB
---@return curlew.sink
function sinks.buffer(max_bytes) end

---@param algorithm string
---@return curlew.digest
function sinks.digest(algorithm) end

---@return curlew.sink
function sinks.count() end

---@return curlew.sink
function sinks.null() end

---@param ... curlew.sink
---@return curlew.sink
function sinks.tee(...) end

---An object for writefunction that calls fn(line); finish() gives the rest.
---@param fn fun(line: string)
---@return {write: function, finish: function}
function sinks.lines(fn) end

---@class curlew.sink
local sink = {}

---@param bytes string|curlew.view
---@return boolean
function sink:write(bytes) end

---@param bytes string|curlew.view
---@return curlew.sink
function sink:update(bytes) end

---Gives a file its name.
---@return curlew.sink
function sink:publish() end

---@return curlew.sink
function sink:discard() end

---Starts over.
---@return curlew.sink
function sink:reset() end

---@return integer
function sink:bytes() end

---@return integer
function sink:resume_offset() end

---@return string
function sink:kind() end

---@return string? sentence
---@return integer? os_errno
function sink:error() end

---The content of a buffer.
---@return string
function sink:string() end

---The value of a digest.
---@return string
function sink:raw() end

---@return string
function sink:hex() end

function sink:close() end

---@alias curlew.digest curlew.sink

---A multipart body, for the option mimepost.
---@param parts curlew.mime_part[]
---@return curlew.mime
function cw.mime(parts) end

---@class curlew.mime_part
---@field name string?
---@field filename string?
---@field type string?
---@field encoder "binary"|"8bit"|"7bit"|"base64"|"quoted-printable"|nil
---@field headers string[]|table<string, string|number|false>?
---@field data any the content, a string or a view; beside read, the companion
---@field file string? the path of a regular file
---@field source curlew.source?
---@field read table|file*|(fun(buffer: curlew.view, data: any): any, any)?
---@field seek table|(fun(offset: integer, origin: "set", data: any): any, any)?
---@field free table|fun(data: any)?
---@field size integer? of what read gives
---@field parts curlew.mime_part[]?
---@field subtype string? of parts, else "mixed"

---@class curlew.mime
local mime = {}

---Calls free of each part.
function mime:close() end

---@return boolean
function mime:closed() end

---@class curlew.sources
local sources = {}

---@param path string
---@return curlew.source
function sources.file(path) end

---@param fd integer
---@return curlew.source
function sources.fd(fd) end

---@param text string
---@return curlew.source
function sources.string(text) end

---@param bytes curlew.view
---@return curlew.source
function sources.view(bytes) end

---@param byte integer|string
---@param n integer
---@return curlew.source
function sources.fill(byte, n) end

---@class curlew.source
local source = {}

---@return integer?
function source:size() end

---@param max integer?
---@return string?
function source:read(max) end

---@param offset integer
---@return curlew.source
function source:seek(offset) end

function source:close() end

-- --- errors and URLs ----------------------------------------------------------

---@class curlew.error
---@field category "easy"|"multi"|"url"|"share"|"mime"|"os"
---@field code integer
---@field name curlew.easy_error|curlew.multi_error|curlew.url_error|string
---@field message string
---@field detail string?
---@field phase string?
---@field os_errno integer?
---@field url string?
---@field attempt integer?
---@field traceback string?
---@field cause any what made it fail: the system's error, or what you gave

---@class curlew.share
local share = {}

---Lets go; while a handle has it set: an error.
function share:close() end

---@param name "handles"|"connections_idle"
---@return integer?
function share:count(name) end

---@param kinds table names of what is shared; net: a virtual network
---@return curlew.share
function cw.share(kinds) end

---@class curlew.url
---@field url string?
---@field scheme string?
---@field user string?
---@field password string?
---@field options string?
---@field host string?
---@field port string?
---@field path string?
---@field query string?
---@field fragment string?
---@field zoneid string?
local url = {}

---@alias curlew.url_part "url"|"scheme"|"user"|"password"|"options"|"host"|"port"|"path"|"query"|"fragment"|"zoneid"

---@param part curlew.url_part
---@param ... any flags
---@return string?
function url:get(part, ...) end

---@param part curlew.url_part
---@param text string?
---@param ... any flags
---@return curlew.url
function url:set(part, text, ...) end

---@return curlew.url
function url:clone() end

function url:close() end

-- --- what callbacks are given -------------------------------------------------

---@class curlew.socket
---@field fd integer
local socket = {}

---@param name string "so_rcvbuf", "tcp_nodelay", ...
---@param value integer|boolean
---@return curlew.socket
function socket:setopt(name, value) end

---@param name string
---@return integer
function socket:getopt(name) end

---@return integer
function socket:getfd() end

---@class curlew.address
---@field family "inet"|"inet6"|"unix"
---@field socktype "stream"|"dgram"
---@field protocol integer
---@field ip string
---@field port integer
---@field path string
local address = {}

---Makes the usual socket for it.
---@return integer fd
function address:socket() end

---@class curlew.ssl_ctx
local ssl_ctx = {}

---@param list string
---@return curlew.ssl_ctx
function ssl_ctx:ciphers(list) end

---@param list string of TLS 1.3
---@return curlew.ssl_ctx
function ssl_ctx:ciphersuites(list) end

---@param list string
---@return curlew.ssl_ctx
function ssl_ctx:groups(list) end

---@param lowest ("1.0"|"1.1"|"1.2"|"1.3")?
---@param highest ("1.0"|"1.1"|"1.2"|"1.3")?
---@return curlew.ssl_ctx
function ssl_ctx:versions(lowest, highest) end

---@param pem string
---@return curlew.ssl_ctx
function ssl_ctx:add_ca(pem) end

---@param cert string PEM text
---@param key string PEM text
---@return curlew.ssl_ctx
function ssl_ctx:use(cert, key) end

---@param names string[]
---@return curlew.ssl_ctx
function ssl_ctx:alpn(names) end

---@param to string|fun(line: string) a path or a function
---@return curlew.ssl_ctx
function ssl_ctx:keylog(to) end

---@param fn fun(ok: boolean, depth: integer, cert: any, error: any): boolean
---@return curlew.ssl_ctx
function ssl_ctx:verify(fn) end

---@return lightuserdata
function ssl_ctx:pointer() end

---@class curlew.resolver
---@field host string
---@field port integer
local resolver = {}

---@param servers string "address[:port],..."
---@return curlew.resolver
function resolver:set_servers(servers) end

---@return lightuserdata
function resolver:pointer() end

-- --- the other side -----------------------------------------------------------

---@class curlew.server_tls
---@field cert string PEM text
---@field key string PEM text
---@field alpn string?
---@field client_ca string? PEM text

---@class curlew.listener
local listener = {}

---@return integer
function listener:port() end

function listener:close() end

---@class curlew.stream
local stream = {}

---Up to n bytes; waits for at least one; nil at the end.
---@param n integer?
---@return string?
function stream:read(n) end

---@param n integer
---@return string?
function stream:read_exactly(n) end

---@param limit integer?
---@return string?
function stream:read_line(limit) end

---@param ... string
---@return curlew.stream
function stream:write(...) end

---No more bytes will be written.
---@return curlew.stream
function stream:finish() end

function stream:close() end

---Closes with a reset.
function stream:reset() end

---@return string ip
---@return integer port
function stream:peer() end

---The name asked for by SNI.
---@return string?
function stream:server_name() end

---@return boolean
function stream:closed() end

---@class curlew.vnet
local vnet = {}

---@param name string
---@param ips string|string[]?
---@param delay number? seconds
---@param error (string|integer)?
---@return curlew.vnet
function vnet:name(name, ips, delay, error) end

---@param ip string?
---@param port integer?
---@param error "refused"|"timeout"|"unreachable"|"noname"|"reset"|"silent"|integer|nil
---@param delay number? seconds
---@return curlew.vnet
function vnet:route(ip, port, error, delay) end

---@param n integer
---@return curlew.vnet
function vnet:window(n) end

---@param n integer
---@return curlew.vnet
function vnet:max_read(n) end

---@param n integer
---@return curlew.vnet
function vnet:max_write(n) end

---@param seconds number one way
---@return curlew.vnet
function vnet:latency(seconds) end

---Seconds since the start.
---@return number
function vnet:now() end

---@param seconds number
---@return curlew.vnet
function vnet:advance(seconds) end

---@return integer
function vnet:open_sockets() end

function vnet:close() end

return cw
