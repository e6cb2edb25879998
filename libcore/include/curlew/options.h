/*
 * Options, infos, callbacks and their constants.
 * Written by scripts/gen/run from libcore/tbl; change the rows there.
 */
#ifndef CURLEW_OPTIONS_H
#define CURLEW_OPTIONS_H
/* clang-format off */

/* Options of an easy handle, see docs/options.md. */
enum cw_option {
  CWOPT_URL = 10002,
  CWOPT_CURLU = 10282,
  CWOPT_DEFAULT_PROTOCOL = 10238,
  CWOPT_PROTOCOLS = 181,
  CWOPT_PROTOCOLS_STR = 10318,
  CWOPT_REDIR_PROTOCOLS = 182,
  CWOPT_REDIR_PROTOCOLS_STR = 10319,
  CWOPT_PORT = 3,
  CWOPT_PATH_AS_IS = 234,
  CWOPT_DISALLOW_USERNAME_IN_URL = 278,
  CWOPT_PRIVATE = 10103,
  CWOPT_WRITEFUNCTION = 20011,
  CWOPT_WRITEDATA = 10001,
  CWOPT_HEADERFUNCTION = 20079,
  CWOPT_HEADERDATA = 10029,
  CWOPT_HEADER = 42,
  CWOPT_BUFFERSIZE = 98,
  CWOPT_MAX_WRITE_BYTES = 50003,
  CWOPT_MAX_PINNED_BYTES = 50004,
  CWOPT_MAX_DECODE_RATIO = 50006,
  CWOPT_MAXFILESIZE_LARGE = 30117,
  CWOPT_MAXFILESIZE = 114,
  CWOPT_SINK = 50001,
  CWOPT_NOBODY = 44,
  CWOPT_IGNORE_CONTENT_LENGTH = 136,
  CWOPT_ACCEPT_ENCODING = 10102,
  CWOPT_HTTP_CONTENT_DECODING = 158,
  CWOPT_HTTP_TRANSFER_DECODING = 157,
  CWOPT_TRANSFER_ENCODING = 207,
  CWOPT_HTTP09_ALLOWED = 285,
  CWOPT_HTTP200ALIASES = 10104,
  CWOPT_FILETIME = 69,
  CWOPT_READFUNCTION = 20012,
  CWOPT_READDATA = 10009,
  CWOPT_SEEKFUNCTION = 20167,
  CWOPT_SEEKDATA = 10168,
  CWOPT_IOCTLFUNCTION = 20130,
  CWOPT_IOCTLDATA = 10131,
  CWOPT_TRAILERFUNCTION = 20283,
  CWOPT_TRAILERDATA = 10284,
  CWOPT_SOURCE = 50002,
  CWOPT_UPLOAD = 46,
  CWOPT_PUT = 54,
  CWOPT_INFILESIZE_LARGE = 30115,
  CWOPT_INFILESIZE = 14,
  CWOPT_UPLOAD_BUFFERSIZE = 280,
  CWOPT_CRLF = 27,
  CWOPT_EXPECT_100_TIMEOUT_MS = 227,
  CWOPT_KEEP_SENDING_ON_ERROR = 245,
  CWOPT_VERBOSE = 41,
  CWOPT_DEBUGFUNCTION = 20094,
  CWOPT_DEBUGDATA = 10095,
  CWOPT_STDERR = 10037,
  CWOPT_ERRORBUFFER = 10010,
  CWOPT_NOPROGRESS = 43,
  CWOPT_XFERINFOFUNCTION = 20219,
  CWOPT_XFERINFODATA = 10057,
  CWOPT_PROGRESSDATA = 10057,
  CWOPT_PROGRESSFUNCTION = 20056,
  CWOPT_PREREQFUNCTION = 20312,
  CWOPT_PREREQDATA = 10313,
  CWOPT_CERTINFO = 172,
  CWOPT_TIMEOUT_MS = 155,
  CWOPT_TIMEOUT = 13,
  CWOPT_CONNECTTIMEOUT_MS = 156,
  CWOPT_CONNECTTIMEOUT = 78,
  CWOPT_LOW_SPEED_LIMIT = 19,
  CWOPT_LOW_SPEED_TIME = 20,
  CWOPT_SERVER_RESPONSE_TIMEOUT_MS = 324,
  CWOPT_SERVER_RESPONSE_TIMEOUT = 112,
  CWOPT_HAPPY_EYEBALLS_TIMEOUT_MS = 271,
  CWOPT_MAX_RECV_SPEED_LARGE = 30146,
  CWOPT_MAX_SEND_SPEED_LARGE = 30145,
  CWOPT_HTTPGET = 80,
  CWOPT_POST = 47,
  CWOPT_POSTFIELDS = 10015,
  CWOPT_COPYPOSTFIELDS = 10165,
  CWOPT_POSTFIELDSIZE_LARGE = 30120,
  CWOPT_POSTFIELDSIZE = 60,
  CWOPT_CUSTOMREQUEST = 10036,
  CWOPT_REQUEST_TARGET = 10266,
  CWOPT_HTTPHEADER = 10023,
  CWOPT_HEADEROPT = 229,
  CWOPT_USERAGENT = 10018,
  CWOPT_REFERER = 10016,
  CWOPT_AUTOREFERER = 58,
  CWOPT_RANGE = 10007,
  CWOPT_IF_RANGE = 50007,
  CWOPT_RESUME_FROM_LARGE = 30116,
  CWOPT_RESUME_FROM = 21,
  CWOPT_TIMECONDITION = 33,
  CWOPT_TIMEVALUE_LARGE = 30270,
  CWOPT_TIMEVALUE = 34,
  CWOPT_HTTP_VERSION = 84,
  CWOPT_FAILONERROR = 45,
  CWOPT_COOKIE = 10022,
  CWOPT_MIMEPOST = 10269,
  CWOPT_MIME_OPTIONS = 315,
  CWOPT_HTTPPOST = 10024,
  CWOPT_FOLLOWLOCATION = 52,
  CWOPT_MAXREDIRS = 68,
  CWOPT_POSTREDIR = 161,
  CWOPT_UNRESTRICTED_AUTH = 105,
  CWOPT_HTTPAUTH = 107,
  CWOPT_USERNAME = 10173,
  CWOPT_PASSWORD = 10174,
  CWOPT_USERPWD = 10005,
  CWOPT_XOAUTH2_BEARER = 10220,
  CWOPT_LOGIN_OPTIONS = 10224,
  CWOPT_SASL_AUTHZID = 10289,
  CWOPT_SASL_IR = 218,
  CWOPT_AWS_SIGV4 = 10305,
  CWOPT_HTTPSIG_ALGORITHM = 329,
  CWOPT_HTTPSIG_KEY = 10330,
  CWOPT_HTTPSIG_KEYID = 10331,
  CWOPT_HTTPSIG_HEADERS = 10332,
  CWOPT_SERVICE_NAME = 10236,
  CWOPT_GSSAPI_DELEGATION = 210,
  CWOPT_KRBLEVEL = 10063,
  CWOPT_NETRC = 51,
  CWOPT_NETRC_FILE = 10118,
  CWOPT_IPRESOLVE = 113,
  CWOPT_RESOLVE = 10203,
  CWOPT_CONNECT_TO = 10243,
  CWOPT_DNS_CACHE_TIMEOUT = 92,
  CWOPT_DNS_SERVERS = 10211,
  CWOPT_DNS_INTERFACE = 10221,
  CWOPT_DNS_LOCAL_IP4 = 10222,
  CWOPT_DNS_LOCAL_IP6 = 10223,
  CWOPT_DNS_SHUFFLE_ADDRESSES = 275,
  CWOPT_RESOLVER_START_FUNCTION = 20272,
  CWOPT_RESOLVER_START_DATA = 10273,
  CWOPT_DNS_USE_GLOBAL_CACHE = 91,
  CWOPT_DOH_URL = 10279,
  CWOPT_DOH_SSL_VERIFYPEER = 306,
  CWOPT_DOH_SSL_VERIFYHOST = 307,
  CWOPT_DOH_SSL_VERIFYSTATUS = 308,
  CWOPT_INTERFACE = 10062,
  CWOPT_LOCALPORT = 139,
  CWOPT_LOCALPORTRANGE = 140,
  CWOPT_ADDRESS_SCOPE = 171,
  CWOPT_UNIX_SOCKET_PATH = 10231,
  CWOPT_ABSTRACT_UNIX_SOCKET = 10264,
  CWOPT_FRESH_CONNECT = 74,
  CWOPT_FORBID_REUSE = 75,
  CWOPT_MAXCONNECTS = 71,
  CWOPT_MAXAGE_CONN = 288,
  CWOPT_MAXLIFETIME_CONN = 314,
  CWOPT_CONNECT_ONLY = 141,
  CWOPT_UPKEEP_INTERVAL_MS = 281,
  CWOPT_TCP_NODELAY = 121,
  CWOPT_TCP_KEEPALIVE = 213,
  CWOPT_TCP_KEEPIDLE = 214,
  CWOPT_TCP_KEEPINTVL = 215,
  CWOPT_TCP_KEEPCNT = 326,
  CWOPT_TCP_FASTOPEN = 244,
  CWOPT_SOCKOPTFUNCTION = 20148,
  CWOPT_SOCKOPTDATA = 10149,
  CWOPT_OPENSOCKETFUNCTION = 20163,
  CWOPT_OPENSOCKETDATA = 10164,
  CWOPT_CLOSESOCKETFUNCTION = 20208,
  CWOPT_CLOSESOCKETDATA = 10209,
  CWOPT_NOSIGNAL = 99,
  CWOPT_QUICK_EXIT = 322,
  CWOPT_SHARE = 10100,
  CWOPT_SSL_VERIFYPEER = 64,
  CWOPT_SSL_VERIFYHOST = 81,
  CWOPT_SSL_VERIFYSTATUS = 232,
  CWOPT_CAINFO = 10065,
  CWOPT_CAINFO_BLOB = 40309,
  CWOPT_CAPATH = 10097,
  CWOPT_CA_CACHE_TIMEOUT = 321,
  CWOPT_CRLFILE = 10169,
  CWOPT_ISSUERCERT = 10170,
  CWOPT_ISSUERCERT_BLOB = 40295,
  CWOPT_SSLCERT = 10025,
  CWOPT_SSLCERT_BLOB = 40291,
  CWOPT_SSLCERTTYPE = 10086,
  CWOPT_SSLKEY = 10087,
  CWOPT_SSLKEY_BLOB = 40292,
  CWOPT_SSLKEYTYPE = 10088,
  CWOPT_KEYPASSWD = 10026,
  CWOPT_SSLVERSION = 32,
  CWOPT_SSL_CIPHER_LIST = 10083,
  CWOPT_TLS13_CIPHERS = 10276,
  CWOPT_SSL_EC_CURVES = 10298,
  CWOPT_SSL_SIGNATURE_ALGORITHMS = 10328,
  CWOPT_SSL_OPTIONS = 216,
  CWOPT_SSL_SESSIONID_CACHE = 150,
  CWOPT_SSL_ENABLE_ALPN = 226,
  CWOPT_PINNEDPUBLICKEY = 10230,
  CWOPT_SSL_CTX_FUNCTION = 20108,
  CWOPT_SSL_CTX_DATA = 10109,
  CWOPT_ECH = 10325,
  CWOPT_SSLENGINE = 10089,
  CWOPT_SSLENGINE_DEFAULT = 90,
  CWOPT_SSL_ENABLE_NPN = 225,
  CWOPT_SSL_FALSESTART = 233,
  CWOPT_RANDOM_FILE = 10076,
  CWOPT_EGDSOCKET = 10077,
  CWOPT_TLSAUTH_TYPE = 10206,
  CWOPT_TLSAUTH_USERNAME = 10204,
  CWOPT_TLSAUTH_PASSWORD = 10205,
  CWOPT_PROXY = 10004,
  CWOPT_PRE_PROXY = 10262,
  CWOPT_PROXYPORT = 59,
  CWOPT_PROXYTYPE = 101,
  CWOPT_NOPROXY = 10177,
  CWOPT_HTTPPROXYTUNNEL = 61,
  CWOPT_PROXYHEADER = 10228,
  CWOPT_SUPPRESS_CONNECT_HEADERS = 265,
  CWOPT_PROXYAUTH = 111,
  CWOPT_PROXYUSERNAME = 10175,
  CWOPT_PROXYPASSWORD = 10176,
  CWOPT_PROXYUSERPWD = 10006,
  CWOPT_PROXY_SERVICE_NAME = 10235,
  CWOPT_PROXY_TRANSFER_MODE = 166,
  CWOPT_SOCKS5_AUTH = 267,
  CWOPT_SOCKS5_GSSAPI_NEC = 180,
  CWOPT_SOCKS5_GSSAPI_SERVICE = 10179,
  CWOPT_HAPROXYPROTOCOL = 274,
  CWOPT_HAPROXY_CLIENT_IP = 10323,
  CWOPT_PROXY_CAINFO = 10246,
  CWOPT_PROXY_CAINFO_BLOB = 40310,
  CWOPT_PROXY_CAPATH = 10247,
  CWOPT_PROXY_CRLFILE = 10260,
  CWOPT_PROXY_ISSUERCERT = 10296,
  CWOPT_PROXY_ISSUERCERT_BLOB = 40297,
  CWOPT_PROXY_KEYPASSWD = 10258,
  CWOPT_PROXY_PINNEDPUBLICKEY = 10263,
  CWOPT_PROXY_SSL_CIPHER_LIST = 10259,
  CWOPT_PROXY_SSL_OPTIONS = 261,
  CWOPT_PROXY_SSL_VERIFYHOST = 249,
  CWOPT_PROXY_SSL_VERIFYPEER = 248,
  CWOPT_PROXY_SSLCERT = 10254,
  CWOPT_PROXY_SSLCERT_BLOB = 40293,
  CWOPT_PROXY_SSLCERTTYPE = 10255,
  CWOPT_PROXY_SSLKEY = 10256,
  CWOPT_PROXY_SSLKEY_BLOB = 40294,
  CWOPT_PROXY_SSLKEYTYPE = 10257,
  CWOPT_PROXY_SSLVERSION = 250,
  CWOPT_PROXY_TLS13_CIPHERS = 10277,
  CWOPT_PROXY_TLSAUTH_TYPE = 10253,
  CWOPT_PROXY_TLSAUTH_USERNAME = 10251,
  CWOPT_PROXY_TLSAUTH_PASSWORD = 10252,
  CWOPT_COOKIEFILE = 10031,
  CWOPT_COOKIEJAR = 10082,
  CWOPT_COOKIELIST = 10135,
  CWOPT_COOKIESESSION = 96,
  CWOPT_HSTS = 10300,
  CWOPT_HSTS_CTRL = 299,
  CWOPT_HSTSREADFUNCTION = 20301,
  CWOPT_HSTSREADDATA = 10302,
  CWOPT_HSTSWRITEFUNCTION = 20303,
  CWOPT_HSTSWRITEDATA = 10304,
  CWOPT_ALTSVC = 10287,
  CWOPT_ALTSVC_CTRL = 286,
  CWOPT_PIPEWAIT = 237,
  CWOPT_STREAM_WEIGHT = 239,
  CWOPT_STREAM_DEPENDS = 10240,
  CWOPT_STREAM_DEPENDS_E = 10241,
  CWOPT_WS_OPTIONS = 320,
  CWOPT_FTPPORT = 10017,
  CWOPT_FTP_USE_EPRT = 106,
  CWOPT_FTP_USE_EPSV = 85,
  CWOPT_FTP_USE_PRET = 188,
  CWOPT_FTP_SKIP_PASV_IP = 137,
  CWOPT_FTP_FILEMETHOD = 138,
  CWOPT_FTP_CREATE_MISSING_DIRS = 110,
  CWOPT_FTP_ACCOUNT = 10134,
  CWOPT_FTP_ALTERNATIVE_TO_USER = 10147,
  CWOPT_FTPSSLAUTH = 129,
  CWOPT_FTP_SSL_CCC = 154,
  CWOPT_USE_SSL = 119,
  CWOPT_ACCEPTTIMEOUT_MS = 212,
  CWOPT_APPEND = 50,
  CWOPT_DIRLISTONLY = 48,
  CWOPT_TRANSFERTEXT = 53,
  CWOPT_QUOTE = 10028,
  CWOPT_PREQUOTE = 10093,
  CWOPT_POSTQUOTE = 10039,
  CWOPT_WILDCARDMATCH = 197,
  CWOPT_CHUNK_BGN_FUNCTION = 20198,
  CWOPT_CHUNK_END_FUNCTION = 20199,
  CWOPT_CHUNK_DATA = 10201,
  CWOPT_FNMATCH_FUNCTION = 20200,
  CWOPT_FNMATCH_DATA = 10202,
  CWOPT_SSH_AUTH_TYPES = 151,
  CWOPT_SSH_PUBLIC_KEYFILE = 10152,
  CWOPT_SSH_PRIVATE_KEYFILE = 10153,
  CWOPT_SSH_KNOWNHOSTS = 10183,
  CWOPT_SSH_HOST_PUBLIC_KEY_MD5 = 10162,
  CWOPT_SSH_HOST_PUBLIC_KEY_SHA256 = 10311,
  CWOPT_SSH_COMPRESSION = 268,
  CWOPT_SSH_KEYFUNCTION = 20184,
  CWOPT_SSH_KEYDATA = 10185,
  CWOPT_SSH_HOSTKEYFUNCTION = 20316,
  CWOPT_SSH_HOSTKEYDATA = 10317,
  CWOPT_NEW_FILE_PERMS = 159,
  CWOPT_NEW_DIRECTORY_PERMS = 160,
  CWOPT_RTSP_REQUEST = 189,
  CWOPT_RTSP_SESSION_ID = 10190,
  CWOPT_RTSP_STREAM_URI = 10191,
  CWOPT_RTSP_TRANSPORT = 10192,
  CWOPT_RTSP_CLIENT_CSEQ = 193,
  CWOPT_RTSP_SERVER_CSEQ = 194,
  CWOPT_INTERLEAVEFUNCTION = 20196,
  CWOPT_INTERLEAVEDATA = 10195,
  CWOPT_MAIL_FROM = 10186,
  CWOPT_MAIL_RCPT = 10187,
  CWOPT_MAIL_RCPT_ALLOWFAILS = 290,
  CWOPT_MAIL_AUTH = 10217,
  CWOPT_UPLOAD_FLAGS = 327,
  CWOPT_TFTP_BLKSIZE = 178,
  CWOPT_TFTP_NO_OPTIONS = 242,
  CWOPT_TELNETOPTIONS = 10070,
  CWOPT_CONV_FROM_NETWORK_FUNCTION = 20142,
  CWOPT_CONV_TO_NETWORK_FUNCTION = 20143,
  CWOPT_CONV_FROM_UTF8_FUNCTION = 20144,
  CWOPT_CONV_DATA = 50005
};

/* Options of a multi handle, see docs/options.md. */
enum cw_moption {
  CWMOPT_SOCKETFUNCTION = 20001,
  CWMOPT_SOCKETDATA = 10002,
  CWMOPT_TIMERFUNCTION = 20004,
  CWMOPT_TIMERDATA = 10005,
  CWMOPT_MAXCONNECTS = 6,
  CWMOPT_MAX_HOST_CONNECTIONS = 7,
  CWMOPT_MAX_TOTAL_CONNECTIONS = 13,
  CWMOPT_MAX_CONCURRENT_STREAMS = 16,
  CWMOPT_PUSHFUNCTION = 20014,
  CWMOPT_PUSHDATA = 10015,
  CWMOPT_NOTIFYFUNCTION = 20018,
  CWMOPT_NOTIFYDATA = 10019,
  CWMOPT_NETWORK_CHANGED = 17,
  CWMOPT_RESOLVE_THREADS_MAX = 20,
  CWMOPT_QUICK_EXIT = 21,
  CWMOPT_PIPELINING = 3,
  CWMOPT_MAX_PIPELINE_LENGTH = 8,
  CWMOPT_CONTENT_LENGTH_PENALTY_SIZE = 30009,
  CWMOPT_CHUNK_LENGTH_PENALTY_SIZE = 30010,
  CWMOPT_PIPELINING_SITE_BL = 10011,
  CWMOPT_PIPELINING_SERVER_BL = 10012
};

/* What cw_easy_getinfo reads, see docs/infos.md. */
enum cw_info {
  CWINFO_EFFECTIVE_URL = 1048577,
  CWINFO_EFFECTIVE_METHOD = 1048634,
  CWINFO_REFERER = 1048636,
  CWINFO_SCHEME = 1048625,
  CWINFO_PROTOCOL = 2097200,
  CWINFO_RESPONSE_CODE = 2097154,
  CWINFO_HTTP_CONNECTCODE = 2097174,
  CWINFO_HTTP_VERSION = 2097198,
  CWINFO_CONTENT_TYPE = 1048594,
  CWINFO_RETRY_AFTER = 6291513,
  CWINFO_REDIRECT_COUNT = 2097172,
  CWINFO_REDIRECT_URL = 1048607,
  CWINFO_CONDITION_UNMET = 2097187,
  CWINFO_FILETIME = 2097166,
  CWINFO_FILETIME_T = 6291470,
  CWINFO_REQUEST_SIZE = 2097164,
  CWINFO_HEADER_SIZE = 2097163,
  CWINFO_COOKIELIST = 4194332,
  CWINFO_HTTPAUTH_AVAIL = 2097175,
  CWINFO_HTTPAUTH_USED = 2097221,
  CWINFO_PROXYAUTH_AVAIL = 2097176,
  CWINFO_PROXYAUTH_USED = 2097222,
  CWINFO_PRIVATE = 1048597,
  CWINFO_FTP_ENTRY_PATH = 1048606,
  CWINFO_RTSP_SESSION_ID = 1048612,
  CWINFO_RTSP_CLIENT_CSEQ = 2097189,
  CWINFO_RTSP_SERVER_CSEQ = 2097190,
  CWINFO_RTSP_CSEQ_RECV = 2097191,
  CWINFO_SIZE_DOWNLOAD = 3145736,
  CWINFO_SIZE_DOWNLOAD_T = 6291464,
  CWINFO_SIZE_UPLOAD = 3145735,
  CWINFO_SIZE_UPLOAD_T = 6291463,
  CWINFO_SIZE_DELIVERED = 6291527,
  CWINFO_SPEED_DOWNLOAD = 3145737,
  CWINFO_SPEED_DOWNLOAD_T = 6291465,
  CWINFO_SPEED_UPLOAD = 3145738,
  CWINFO_SPEED_UPLOAD_T = 6291466,
  CWINFO_CONTENT_LENGTH_DOWNLOAD = 3145743,
  CWINFO_CONTENT_LENGTH_DOWNLOAD_T = 6291471,
  CWINFO_CONTENT_LENGTH_UPLOAD = 3145744,
  CWINFO_CONTENT_LENGTH_UPLOAD_T = 6291472,
  CWINFO_EARLYDATA_SENT_T = 6291524,
  CWINFO_TOTAL_TIME = 3145731,
  CWINFO_TOTAL_TIME_T = 6291506,
  CWINFO_QUEUE_TIME_T = 6291521,
  CWINFO_NAMELOOKUP_TIME = 3145732,
  CWINFO_NAMELOOKUP_TIME_T = 6291507,
  CWINFO_CONNECT_TIME = 3145733,
  CWINFO_CONNECT_TIME_T = 6291508,
  CWINFO_APPCONNECT_TIME = 3145761,
  CWINFO_APPCONNECT_TIME_T = 6291512,
  CWINFO_PRETRANSFER_TIME = 3145734,
  CWINFO_PRETRANSFER_TIME_T = 6291509,
  CWINFO_POSTTRANSFER_TIME_T = 6291523,
  CWINFO_STARTTRANSFER_TIME = 3145745,
  CWINFO_STARTTRANSFER_TIME_T = 6291510,
  CWINFO_REDIRECT_TIME = 3145747,
  CWINFO_REDIRECT_TIME_T = 6291511,
  CWINFO_PRIMARY_IP = 1048608,
  CWINFO_PRIMARY_PORT = 2097192,
  CWINFO_LOCAL_IP = 1048617,
  CWINFO_LOCAL_PORT = 2097194,
  CWINFO_NUM_CONNECTS = 2097178,
  CWINFO_CONN_ID = 6291520,
  CWINFO_XFER_ID = 6291519,
  CWINFO_OS_ERRNO = 2097177,
  CWINFO_LASTSOCKET = 2097181,
  CWINFO_ACTIVESOCKET = 5242924,
  CWINFO_USED_PROXY = 2097218,
  CWINFO_PROXY_ERROR = 2097211,
  CWINFO_SSL_VERIFYRESULT = 2097165,
  CWINFO_PROXY_SSL_VERIFYRESULT = 2097199,
  CWINFO_CERTINFO = 4194338,
  CWINFO_TLS_SESSION = 4194347,
  CWINFO_TLS_SSL_PTR = 4194349,
  CWINFO_SSL_ENGINES = 4194331,
  CWINFO_CAINFO = 1048637,
  CWINFO_CAPATH = 1048638
};

/* The callbacks of an easy handle, see docs/callbacks.md. */
enum cw_slot {
  CW_SLOT_NONE,
  CW_SLOT_WRITE,
  CW_SLOT_HEADER,
  CW_SLOT_READ,
  CW_SLOT_SEEK,
  CW_SLOT_IOCTL,
  CW_SLOT_TRAILER,
  CW_SLOT_XFERINFO,
  CW_SLOT_PROGRESS,
  CW_SLOT_DEBUG,
  CW_SLOT_SOCKOPT,
  CW_SLOT_OPENSOCKET,
  CW_SLOT_CLOSESOCKET,
  CW_SLOT_SSL_CTX,
  CW_SLOT_RESOLVER_START,
  CW_SLOT_PREREQ,
  CW_SLOT_SSH_KEY,
  CW_SLOT_SSH_HOSTKEY,
  CW_SLOT_INTERLEAVE,
  CW_SLOT_CHUNK_BGN,
  CW_SLOT_CHUNK_END,
  CW_SLOT_FNMATCH,
  CW_SLOT_HSTSREAD,
  CW_SLOT_HSTSWRITE,
  CW_SLOT_CONV_FROM_NETWORK,
  CW_SLOT_CONV_TO_NETWORK,
  CW_SLOT_CONV_FROM_UTF8,
  CW_SLOT_COUNT
};

/* Bits of protocols and redir_protocols. */
#define CWPROTO_HTTP 1L /* HTTP */
#define CWPROTO_HTTPS 2L /* HTTP over TLS */
#define CWPROTO_FTP 4L /* FTP */
#define CWPROTO_FTPS 8L /* FTP over TLS */
#define CWPROTO_SCP 16L /* SCP */
#define CWPROTO_SFTP 32L /* SFTP */
#define CWPROTO_TELNET 64L /* TELNET */
#define CWPROTO_LDAP 128L /* LDAP */
#define CWPROTO_LDAPS 256L /* LDAP over TLS */
#define CWPROTO_DICT 512L /* DICT */
#define CWPROTO_FILE 1024L /* local files */
#define CWPROTO_TFTP 2048L /* TFTP */
#define CWPROTO_IMAP 4096L /* IMAP */
#define CWPROTO_IMAPS 8192L /* IMAP over TLS */
#define CWPROTO_POP3 16384L /* POP3 */
#define CWPROTO_POP3S 32768L /* POP3 over TLS */
#define CWPROTO_SMTP 65536L /* SMTP */
#define CWPROTO_SMTPS 131072L /* SMTP over TLS */
#define CWPROTO_RTSP 262144L /* RTSP */
#define CWPROTO_RTMP 524288L /* RTMP, which nothing here speaks */
#define CWPROTO_RTMPT 1048576L /* RTMP over HTTP, which nothing here speaks */
#define CWPROTO_RTMPE 2097152L /* encrypted RTMP, which nothing here speaks */
#define CWPROTO_RTMPTE 4194304L /* encrypted RTMP over HTTP, which nothing here speaks */
#define CWPROTO_RTMPS 8388608L /* RTMP over TLS, which nothing here speaks */
#define CWPROTO_RTMPTS 16777216L /* RTMP over HTTPS, which nothing here speaks */
#define CWPROTO_GOPHER 33554432L /* Gopher */
#define CWPROTO_SMB 67108864L /* SMB */
#define CWPROTO_SMBS 134217728L /* SMB over TLS */
#define CWPROTO_MQTT 268435456L /* MQTT */
#define CWPROTO_GOPHERS 536870912L /* Gopher over TLS */
#define CWPROTO_ALL (-1L) /* all of them */

/* Values of http_version. */
#define CW_HTTP_VERSION_NONE 0L /* the library chooses */
#define CW_HTTP_VERSION_1_0 1L /* HTTP/1.0 */
#define CW_HTTP_VERSION_1_1 2L /* HTTP/1.1 */
#define CW_HTTP_VERSION_2_0 3L /* HTTP/2, or what the server has */
#define CW_HTTP_VERSION_2TLS 4L /* HTTP/2 over TLS, HTTP/1.1 without */
#define CW_HTTP_VERSION_2_PRIOR_KNOWLEDGE 5L /* HTTP/2 at once, without asking */
#define CW_HTTP_VERSION_3 30L /* HTTP/3, or what the server has */
#define CW_HTTP_VERSION_3ONLY 31L /* HTTP/3 and nothing else */

/* Bits of httpauth, proxyauth and socks5_auth. */
#define CWAUTH_NONE 0L /* no authentication */
#define CWAUTH_BASIC 1L /* Basic (RFC 7617) */
#define CWAUTH_DIGEST 2L /* Digest (RFC 7616) */
#define CWAUTH_NEGOTIATE 4L /* Negotiate (RFC 4559) */
#define CWAUTH_GSSAPI 4L /* the same, for SOCKS5 (RFC 1961) */
#define CWAUTH_NTLM 8L /* NTLM */
#define CWAUTH_DIGEST_IE 16L /* Digest with the query left out, as old servers want it */
#define CWAUTH_NTLM_WB 32L /* NTLM by winbind, which libcurl removed */
#define CWAUTH_BEARER 64L /* Bearer (RFC 6750) */
#define CWAUTH_AWS_SIGV4 128L /* AWS signature version 4 */
#define CWAUTH_ONLY 2147483648L /* with one other bit: that method and no other */
#define CWAUTH_ANY (-17L) /* all but digest_ie; the library picks the safest offered */
#define CWAUTH_ANYSAFE (-18L) /* any without Basic */

/* Values of sslversion; a lowest one joined with a highest one. */
#define CW_SSLVERSION_DEFAULT 0L /* the library's lowest, TLS 1.2 */
#define CW_SSLVERSION_TLSv1 1L /* TLS 1.0 or above */
#define CW_SSLVERSION_SSLv2 2L /* SSL 2, always refused (RFC 6176) */
#define CW_SSLVERSION_SSLv3 3L /* SSL 3, always refused (RFC 7568) */
#define CW_SSLVERSION_TLSv1_0 4L /* TLS 1.0 or above */
#define CW_SSLVERSION_TLSv1_1 5L /* TLS 1.1 or above */
#define CW_SSLVERSION_TLSv1_2 6L /* TLS 1.2 or above */
#define CW_SSLVERSION_TLSv1_3 7L /* TLS 1.3 or above */
#define CW_SSLVERSION_MAX_NONE 0L /* no highest version */
#define CW_SSLVERSION_MAX_DEFAULT 65536L /* the library's highest, TLS 1.3 */
#define CW_SSLVERSION_MAX_TLSv1_0 262144L /* TLS 1.0 at most */
#define CW_SSLVERSION_MAX_TLSv1_1 327680L /* TLS 1.1 at most */
#define CW_SSLVERSION_MAX_TLSv1_2 393216L /* TLS 1.2 at most */
#define CW_SSLVERSION_MAX_TLSv1_3 458752L /* TLS 1.3 at most */

/* Bits of ssl_options and proxy_ssl_options. */
#define CWSSLOPT_ALLOW_BEAST 1L /* no workaround for BEAST, for servers that cannot bear it */
#define CWSSLOPT_NO_REVOKE 2L /* no check for revocation, where the system does one */
#define CWSSLOPT_NO_PARTIALCHAIN 4L /* a chain must end at a self-signed authority */
#define CWSSLOPT_REVOKE_BEST_EFFORT 8L /* a revocation list that is missing is no failure */
#define CWSSLOPT_NATIVE_CA 16L /* trust the system's authorities as well */
#define CWSSLOPT_AUTO_CLIENT_CERT 32L /* let the system find a client certificate */
#define CWSSLOPT_EARLYDATA 64L /* send the request as TLS early data where it may be replayed */

/* Values of ipresolve. */
#define CW_IPRESOLVE_WHATEVER 0L /* IPv4 and IPv6 */
#define CW_IPRESOLVE_V4 1L /* IPv4 only */
#define CW_IPRESOLVE_V6 2L /* IPv6 only */

/* Values of timecondition. */
#define CW_TIMECOND_NONE 0L /* no condition */
#define CW_TIMECOND_IFMODSINCE 1L /* if changed since (RFC 9110 section 13.1.3) */
#define CW_TIMECOND_IFUNMODSINCE 2L /* if not changed since (RFC 9110 section 13.1.4) */
#define CW_TIMECOND_LASTMOD 3L /* by Last-Modified, which no server asks for */

/* Bits of postredir. */
#define CW_REDIR_GET_ALL 0L /* a POST becomes a GET after all three */
#define CW_REDIR_POST_301 1L /* a POST stays one after 301 */
#define CW_REDIR_POST_302 2L /* a POST stays one after 302 */
#define CW_REDIR_POST_303 4L /* a POST stays one after 303 */
#define CW_REDIR_POST_ALL 7L /* a POST stays one after all three */

/* Values of followlocation. */
#define CWFOLLOW_NONE 0L /* redirects are not followed */
#define CWFOLLOW_ALL 1L /* redirects are followed; customrequest is kept throughout */
#define CWFOLLOW_OBEYCODE 2L /* customrequest is kept unless the status asks for GET */
#define CWFOLLOW_FIRSTONLY 3L /* customrequest is for the first request only */

/* Values of use_ssl. */
#define CWUSESSL_NONE 0L /* no TLS */
#define CWUSESSL_TRY 1L /* TLS if the server can */
#define CWUSESSL_CONTROL 2L /* TLS for the control connection, else fail */
#define CWUSESSL_ALL 3L /* TLS for everything, else fail */

/* Values of netrc. */
#define CW_NETRC_IGNORED 0L /* not used */
#define CW_NETRC_OPTIONAL 1L /* used where the URL has no user */
#define CW_NETRC_REQUIRED 2L /* used in place of what the URL has */

/* Values of proxytype. */
#define CWPROXY_HTTP 0L /* HTTP proxy */
#define CWPROXY_HTTP_1_0 1L /* HTTP proxy that is told HTTP/1.0 */
#define CWPROXY_HTTPS 2L /* HTTP proxy over TLS */
#define CWPROXY_HTTPS2 3L /* HTTP/2 proxy over TLS */
#define CWPROXY_SOCKS4 4L /* SOCKS4 */
#define CWPROXY_SOCKS5 5L /* SOCKS5, names resolved here (RFC 1928) */
#define CWPROXY_SOCKS4A 6L /* SOCKS4a, names resolved by the proxy */
#define CWPROXY_SOCKS5_HOSTNAME 7L /* SOCKS5, names resolved by the proxy */

/* Values of headeropt. */
#define CWHEADER_UNIFIED 0L /* httpheader goes to proxies as well */
#define CWHEADER_SEPARATE 1L /* httpheader goes to the server alone */

/* Values of rtsp_request. */
#define CW_RTSPREQ_NONE 0L /* no request */
#define CW_RTSPREQ_OPTIONS 1L /* OPTIONS */
#define CW_RTSPREQ_DESCRIBE 2L /* DESCRIBE */
#define CW_RTSPREQ_ANNOUNCE 3L /* ANNOUNCE */
#define CW_RTSPREQ_SETUP 4L /* SETUP */
#define CW_RTSPREQ_PLAY 5L /* PLAY */
#define CW_RTSPREQ_PAUSE 6L /* PAUSE */
#define CW_RTSPREQ_TEARDOWN 7L /* TEARDOWN */
#define CW_RTSPREQ_GET_PARAMETER 8L /* GET_PARAMETER */
#define CW_RTSPREQ_SET_PARAMETER 9L /* SET_PARAMETER */
#define CW_RTSPREQ_RECORD 10L /* RECORD */
#define CW_RTSPREQ_RECEIVE 11L /* no request, take interleaved messages */

/* Values of ftp_filemethod. */
#define CWFTPMETHOD_DEFAULT 0L /* multicwd */
#define CWFTPMETHOD_MULTICWD 1L /* a CWD for each directory (RFC 1738) */
#define CWFTPMETHOD_NOCWD 2L /* no CWD, the whole path with the command */
#define CWFTPMETHOD_SINGLECWD 3L /* one CWD to the directory of the file */

/* Values of ftp_create_missing_dirs. */
#define CWFTP_CREATE_DIR_NONE 0L /* directories are not made */
#define CWFTP_CREATE_DIR 1L /* missing directories are made */
#define CWFTP_CREATE_DIR_RETRY 2L /* and entered again where another client made them meanwhile */

/* Values of ftpsslauth. */
#define CWFTPAUTH_DEFAULT 0L /* AUTH SSL, then AUTH TLS */
#define CWFTPAUTH_SSL 1L /* AUTH SSL first */
#define CWFTPAUTH_TLS 2L /* AUTH TLS first */

/* Values of ftp_ssl_ccc. */
#define CWFTPSSL_CCC_NONE 0L /* TLS stays */
#define CWFTPSSL_CCC_PASSIVE 1L /* the server ends TLS */
#define CWFTPSSL_CCC_ACTIVE 2L /* this end does */

/* Bits of gssapi_delegation. */
#define CWGSSAPI_DELEGATION_NONE 0L /* no delegation */
#define CWGSSAPI_DELEGATION_POLICY_FLAG 1L /* where the policy of the realm allows it */
#define CWGSSAPI_DELEGATION_FLAG 2L /* always */

/* Bits of ssh_auth_types. */
#define CWSSH_AUTH_NONE 0L /* none */
#define CWSSH_AUTH_PUBLICKEY 1L /* public key (RFC 4252 section 7) */
#define CWSSH_AUTH_PASSWORD 2L /* password (RFC 4252 section 8) */
#define CWSSH_AUTH_HOST 4L /* host based (RFC 4252 section 9) */
#define CWSSH_AUTH_KEYBOARD 8L /* keyboard-interactive (RFC 4256) */
#define CWSSH_AUTH_AGENT 16L /* the keys of an agent */
#define CWSSH_AUTH_GSSAPI 32L /* GSSAPI (RFC 4462) */
#define CWSSH_AUTH_ANY (-1L) /* all that the server offers */

/* Results of ssh_keyfunction. */
#define CWKHSTAT_FINE_ADD_TO_FILE 0L /* accept the key and add it to the file */
#define CWKHSTAT_FINE 1L /* accept the key this time */
#define CWKHSTAT_REJECT 2L /* refuse the key */
#define CWKHSTAT_DEFER 3L /* refuse the key, but let the connection live */
#define CWKHSTAT_FINE_REPLACE 4L /* accept the key and replace the one in the file */

/* What ssh_keyfunction is told of the file of known hosts. */
#define CWKHMATCH_OK 0L /* the file has this key */
#define CWKHMATCH_MISMATCH 1L /* the file has another key */
#define CWKHMATCH_MISSING 2L /* the file has no key for the host */

/* Kinds of SSH host keys. */
#define CWKHTYPE_UNKNOWN 0L /* not known */
#define CWKHTYPE_RSA1 1L /* RSA of SSH 1 */
#define CWKHTYPE_RSA 2L /* RSA */
#define CWKHTYPE_DSS 3L /* DSA */
#define CWKHTYPE_ECDSA 4L /* ECDSA */
#define CWKHTYPE_ED25519 5L /* Ed25519 */

/* Results of chunk_bgn_function. */
#define CW_CHUNK_BGN_FUNC_OK 0L /* transfer the file */
#define CW_CHUNK_BGN_FUNC_FAIL 1L /* stop */
#define CW_CHUNK_BGN_FUNC_SKIP 2L /* leave the file out */

/* Results of chunk_end_function. */
#define CW_CHUNK_END_FUNC_OK 0L /* go on */
#define CW_CHUNK_END_FUNC_FAIL 1L /* stop */

/* Results of fnmatch_function. */
#define CW_FNMATCHFUNC_MATCH 0L /* the name matches */
#define CW_FNMATCHFUNC_NOMATCH 1L /* it does not */
#define CW_FNMATCHFUNC_FAIL 2L /* stop */

/* Kinds of files in a listing. */
#define CWFILETYPE_FILE 0L /* regular file */
#define CWFILETYPE_DIRECTORY 1L /* directory */
#define CWFILETYPE_SYMLINK 2L /* symbolic link */
#define CWFILETYPE_DEVICE_BLOCK 3L /* block device */
#define CWFILETYPE_DEVICE_CHAR 4L /* character device */
#define CWFILETYPE_NAMEDPIPE 5L /* named pipe */
#define CWFILETYPE_SOCKET 6L /* socket */
#define CWFILETYPE_DOOR 7L /* door */
#define CWFILETYPE_UNKNOWN 8L /* not known */

/* Bits of hsts_ctrl. */
#define CWHSTS_ENABLE 1L /* the store is on */
#define CWHSTS_READONLYFILE 2L /* its file is not written */

/* Results of hstsreadfunction and hstswritefunction. */
#define CWSTS_OK 0L /* go on */
#define CWSTS_DONE 1L /* no more entries */
#define CWSTS_FAIL 2L /* stop */

/* Bits of altsvc_ctrl. */
#define CWALTSVC_READONLYFILE 4L /* the file is not written */
#define CWALTSVC_H1 8L /* services over HTTP/1.1 are used */
#define CWALTSVC_H2 16L /* services over HTTP/2 are used */
#define CWALTSVC_H3 32L /* services over HTTP/3 are used */

/* Bits of ws_options. */
#define CWWS_RAW_MODE 1L /* frames are passed on as they are */
#define CWWS_NOAUTOPONG 2L /* pings are not answered by the library */

/* Kinds of WebSocket frames. */
#define CWWS_TEXT 1L /* text */
#define CWWS_BINARY 2L /* binary data */
#define CWWS_CONT 4L /* the message goes on in the next frame */
#define CWWS_CLOSE 8L /* close */
#define CWWS_PING 16L /* ping */
#define CWWS_OFFSET 32L /* more of the same frame follows */
#define CWWS_PONG 64L /* pong */

/* Bits of mime_options. */
#define CWMIMEOPT_FORMESCAPE 1L /* quotes in names get a backslash; else they are percent-encoded */

/* Bits of upload_flags. */
#define CWULFLAG_ANSWERED 1L /* answered */
#define CWULFLAG_DELETED 2L /* deleted */
#define CWULFLAG_DRAFT 4L /* draft */
#define CWULFLAG_FLAGGED 8L /* flagged */
#define CWULFLAG_SEEN 16L /* seen */

/* Values of httpsig_algorithm. */
#define CWHTTPSIG_NONE 0L /* no signature */
#define CWHTTPSIG_ED25519 1L /* Ed25519 (RFC 8032) */
#define CWHTTPSIG_HMAC_SHA256 2L /* HMAC with SHA-256 (RFC 2104) */

/* Results of pushfunction. */
#define CW_PUSH_OK 0L /* accept the stream */
#define CW_PUSH_DENY 1L /* refuse the stream */
#define CW_PUSH_ERROROUT 2L /* refuse the stream and fail the parent */

/* Values of getinfo proxy_error. */
#define CWPX_OK 0L /* no error */
#define CWPX_BAD_ADDRESS_TYPE 1L /* the answer has an unknown type of address */
#define CWPX_BAD_VERSION 2L /* the answer has another version of SOCKS */
#define CWPX_CLOSED 3L /* the proxy closed the connection */
#define CWPX_GSSAPI 4L /* GSSAPI failed */
#define CWPX_GSSAPI_PERMSG 5L /* GSSAPI protection of messages failed */
#define CWPX_GSSAPI_PROTECTION 6L /* GSSAPI protection was not agreed on */
#define CWPX_IDENTD 7L /* identd could not be reached */
#define CWPX_IDENTD_DIFFER 8L /* identd names another user */
#define CWPX_LONG_HOSTNAME 9L /* the host name is too long */
#define CWPX_LONG_PASSWD 10L /* the password is too long */
#define CWPX_LONG_USER 11L /* the user name is too long */
#define CWPX_NO_AUTH 12L /* no method of authentication was accepted */
#define CWPX_RECV_ADDRESS 13L /* the address was not received */
#define CWPX_RECV_AUTH 14L /* the answer to the login was not received */
#define CWPX_RECV_CONNECT 15L /* the answer to the connect request was not received */
#define CWPX_RECV_REQACK 16L /* the answer to the request was not received */
#define CWPX_REPLY_ADDRESS_TYPE_NOT_SUPPORTED 17L /* the proxy does not know the type of address */
#define CWPX_REPLY_COMMAND_NOT_SUPPORTED 18L /* the proxy does not know the command */
#define CWPX_REPLY_CONNECTION_REFUSED 19L /* the connection was refused */
#define CWPX_REPLY_GENERAL_SERVER_FAILURE 20L /* the proxy failed */
#define CWPX_REPLY_HOST_UNREACHABLE 21L /* the host is unreachable */
#define CWPX_REPLY_NETWORK_UNREACHABLE 22L /* the network is unreachable */
#define CWPX_REPLY_NOT_ALLOWED 23L /* not allowed by the rules of the proxy */
#define CWPX_REPLY_TTL_EXPIRED 24L /* the packet lived too long */
#define CWPX_REPLY_UNASSIGNED 25L /* the answer is not assigned */
#define CWPX_REQUEST_FAILED 26L /* the request was refused */
#define CWPX_RESOLVE_HOST 27L /* the host could not be resolved */
#define CWPX_SEND_AUTH 28L /* the login could not be sent */
#define CWPX_SEND_CONNECT 29L /* the connect request could not be sent */
#define CWPX_SEND_REQUEST 30L /* the request could not be sent */
#define CWPX_UNKNOWN_FAIL 31L /* not known */
#define CWPX_UNKNOWN_MODE 32L /* the mode is not known */
#define CWPX_USER_REJECTED 33L /* the user was rejected */

/* What notifyfunction is told of. */
#define CWMNOTIFY_INFO_READ 0L /* a message waits where none did */
#define CWMNOTIFY_EASY_DONE 1L /* a transfer has ended */

#endif
