/*
 * The codes that calls return; numbers below 200 are libcurl's.
 * Written by scripts/gen/run from libcore/tbl; change the rows there.
 */
#ifndef CURLEW_CODES_H
#define CURLEW_CODES_H
/* clang-format off */

enum cw_code {
  /* no error */
  CWE_OK = 0,
  /* the scheme of the URL is not known or not allowed */
  CWE_UNSUPPORTED_PROTOCOL = 1,
  /* the library could not be initialised */
  CWE_FAILED_INIT = 2,
  /* the URL is malformed */
  CWE_URL_MALFORMAT = 3,
  /* not built in */
  CWE_NOT_BUILT_IN = 4,
  /* the name of the proxy could not be resolved */
  CWE_COULDNT_RESOLVE_PROXY = 5,
  /* the name of the host could not be resolved */
  CWE_COULDNT_RESOLVE_HOST = 6,
  /* no connection could be made */
  CWE_COULDNT_CONNECT = 7,
  /* the answer of the server makes no sense */
  CWE_WEIRD_SERVER_REPLY = 8,
  /* the server denied access */
  CWE_REMOTE_ACCESS_DENIED = 9,
  /* the server did not connect back */
  CWE_FTP_ACCEPT_FAILED = 10,
  /* the answer to PASS makes no sense */
  CWE_FTP_WEIRD_PASS_REPLY = 11,
  /* the server did not connect back in time */
  CWE_FTP_ACCEPT_TIMEOUT = 12,
  /* the answer to PASV or EPSV makes no sense */
  CWE_FTP_WEIRD_PASV_REPLY = 13,
  /* the address in the answer to PASV makes no sense */
  CWE_FTP_WEIRD_227_FORMAT = 14,
  /* the host that PASV named could not be resolved */
  CWE_FTP_CANT_GET_HOST = 15,
  /* HTTP/2 framing failed */
  CWE_HTTP2 = 16,
  /* the FTP transfer type could not be set */
  CWE_FTP_COULDNT_SET_TYPE = 17,
  /* the body was cut short */
  CWE_PARTIAL_FILE = 18,
  /* the file could not be retrieved by FTP */
  CWE_FTP_COULDNT_RETR_FILE = 19,
  /* not used */
  CWE_OBSOLETE20 = 20,
  /* a quote command failed */
  CWE_QUOTE_ERROR = 21,
  /* the server answered with an error status */
  CWE_HTTP_RETURNED_ERROR = 22,
  /* the body could not be written */
  CWE_WRITE_ERROR = 23,
  /* not used */
  CWE_OBSOLETE24 = 24,
  /* the upload was refused */
  CWE_UPLOAD_FAILED = 25,
  /* the body to send could not be read */
  CWE_READ_ERROR = 26,
  /* out of memory */
  CWE_OUT_OF_MEMORY = 27,
  /* a time limit was reached */
  CWE_OPERATION_TIMEDOUT = 28,
  /* not used */
  CWE_OBSOLETE29 = 29,
  /* the FTP server refused PORT and EPRT */
  CWE_FTP_PORT_FAILED = 30,
  /* the FTP server refused REST */
  CWE_FTP_COULDNT_USE_REST = 31,
  /* not used */
  CWE_OBSOLETE32 = 32,
  /* the server does not serve ranges */
  CWE_RANGE_ERROR = 33,
  /* not used */
  CWE_OBSOLETE34 = 34,
  /* the TLS handshake failed */
  CWE_SSL_CONNECT_ERROR = 35,
  /* the download could not be resumed */
  CWE_BAD_DOWNLOAD_RESUME = 36,
  /* the file could not be read */
  CWE_FILE_COULDNT_READ_FILE = 37,
  /* the LDAP bind failed */
  CWE_LDAP_CANNOT_BIND = 38,
  /* the LDAP search failed */
  CWE_LDAP_SEARCH_FAILED = 39,
  /* not used */
  CWE_OBSOLETE40 = 40,
  /* not used */
  CWE_OBSOLETE41 = 41,
  /* a callback stopped the transfer */
  CWE_ABORTED_BY_CALLBACK = 42,
  /* bad argument */
  CWE_BAD_FUNCTION_ARGUMENT = 43,
  /* not used */
  CWE_OBSOLETE44 = 44,
  /* the local interface or address could not be used */
  CWE_INTERFACE_FAILED = 45,
  /* not used */
  CWE_OBSOLETE46 = 46,
  /* too many redirects */
  CWE_TOO_MANY_REDIRECTS = 47,
  /* no such option */
  CWE_UNKNOWN_OPTION = 48,
  /* the value of an option is malformed */
  CWE_SETOPT_OPTION_SYNTAX = 49,
  /* not used */
  CWE_OBSOLETE50 = 50,
  /* not used */
  CWE_OBSOLETE51 = 51,
  /* the server closed the connection without an answer */
  CWE_GOT_NOTHING = 52,
  /* the TLS engine was not found */
  CWE_SSL_ENGINE_NOTFOUND = 53,
  /* the TLS engine could not be made the default */
  CWE_SSL_ENGINE_SETFAILED = 54,
  /* sending failed */
  CWE_SEND_ERROR = 55,
  /* receiving failed */
  CWE_RECV_ERROR = 56,
  /* not used */
  CWE_OBSOLETE57 = 57,
  /* the client certificate could not be used */
  CWE_SSL_CERTPROBLEM = 58,
  /* none of the ciphers named can be used */
  CWE_SSL_CIPHER = 59,
  /* the peer could not be verified */
  CWE_PEER_FAILED_VERIFICATION = 60,
  /* the content coding is not known or the body is malformed */
  CWE_BAD_CONTENT_ENCODING = 61,
  /* not used */
  CWE_OBSOLETE62 = 62,
  /* the body is larger than allowed */
  CWE_FILESIZE_EXCEEDED = 63,
  /* the connection could not be upgraded to TLS */
  CWE_USE_SSL_FAILED = 64,
  /* the body would have to be sent again and cannot be rewound */
  CWE_SEND_FAIL_REWIND = 65,
  /* the TLS engine could not be initialised */
  CWE_SSL_ENGINE_INITFAILED = 66,
  /* the login was denied */
  CWE_LOGIN_DENIED = 67,
  /* the TFTP server does not have the file */
  CWE_TFTP_NOTFOUND = 68,
  /* the TFTP server denied access */
  CWE_TFTP_PERM = 69,
  /* the disk of the server is full */
  CWE_REMOTE_DISK_FULL = 70,
  /* illegal TFTP operation */
  CWE_TFTP_ILLEGAL = 71,
  /* unknown TFTP transfer id */
  CWE_TFTP_UNKNOWNID = 72,
  /* the file is there already */
  CWE_REMOTE_FILE_EXISTS = 73,
  /* no such TFTP user */
  CWE_TFTP_NOSUCHUSER = 74,
  /* a conversion callback failed */
  CWE_CONV_FAILED = 75,
  /* not used */
  CWE_OBSOLETE76 = 76,
  /* the authorities to trust could not be read */
  CWE_SSL_CACERT_BADFILE = 77,
  /* the server does not have the file */
  CWE_REMOTE_FILE_NOT_FOUND = 78,
  /* the SSH session failed */
  CWE_SSH = 79,
  /* TLS could not be ended */
  CWE_SSL_SHUTDOWN_FAILED = 80,
  /* not ready, try again */
  CWE_AGAIN = 81,
  /* the revocation list could not be read */
  CWE_SSL_CRL_BADFILE = 82,
  /* the issuer of the certificate is another one */
  CWE_SSL_ISSUER_ERROR = 83,
  /* the FTP server refused PRET */
  CWE_FTP_PRET_FAILED = 84,
  /* the RTSP sequence number does not match */
  CWE_RTSP_CSEQ_ERROR = 85,
  /* the RTSP session does not match */
  CWE_RTSP_SESSION_ERROR = 86,
  /* the listing of the FTP server makes no sense */
  CWE_FTP_BAD_FILE_LIST = 87,
  /* a callback stopped the listing or a file of it */
  CWE_CHUNK_FAILED = 88,
  /* no connection is available */
  CWE_NO_CONNECTION_AVAILABLE = 89,
  /* the public key of the server is not the pinned one */
  CWE_SSL_PINNEDPUBKEYNOTMATCH = 90,
  /* the status of the certificate is not good */
  CWE_SSL_INVALIDCERTSTATUS = 91,
  /* an HTTP/2 stream failed */
  CWE_HTTP2_STREAM = 92,
  /* not allowed inside a callback of the same handle */
  CWE_RECURSIVE_API_CALL = 93,
  /* authentication failed */
  CWE_AUTH_ERROR = 94,
  /* HTTP/3 failed */
  CWE_HTTP3 = 95,
  /* the QUIC handshake failed */
  CWE_QUIC_CONNECT_ERROR = 96,
  /* the proxy failed */
  CWE_PROXY = 97,
  /* the server wants a client certificate */
  CWE_SSL_CLIENTCERT = 98,
  /* waiting for sockets failed */
  CWE_UNRECOVERABLE_POLL = 99,
  /* larger than allowed */
  CWE_TOO_LARGE = 100,
  /* encrypted client hello was required and failed */
  CWE_ECH_REQUIRED = 101,
  /* what was resumed is not the same any more */
  CWE_RESUME_CHANGED = 200,
  /* the handle was closed */
  CWE_CLOSED = 201,
  /* the transfer was cancelled */
  CWE_CANCELLED = 203
};

enum cw_mcode {
  /* call perform again */
  CWM_CALL_MULTI_PERFORM = -1,
  /* no error */
  CWM_OK = 0,
  /* not a multi handle */
  CWM_BAD_HANDLE = 1,
  /* not an easy handle that can be used here */
  CWM_BAD_EASY_HANDLE = 2,
  /* out of memory */
  CWM_OUT_OF_MEMORY = 3,
  /* internal error */
  CWM_INTERNAL_ERROR = 4,
  /* no such socket */
  CWM_BAD_SOCKET = 5,
  /* no such option */
  CWM_UNKNOWN_OPTION = 6,
  /* the transfer was added already */
  CWM_ADDED_ALREADY = 7,
  /* not allowed inside a callback of the same multi */
  CWM_RECURSIVE_API_CALL = 8,
  /* waking up failed */
  CWM_WAKEUP_FAILURE = 9,
  /* bad argument */
  CWM_BAD_FUNCTION_ARGUMENT = 10,
  /* a callback stopped the multi */
  CWM_ABORTED_BY_CALLBACK = 11,
  /* waiting for sockets failed */
  CWM_UNRECOVERABLE_POLL = 12,
  /* not built in */
  CWM_NOT_BUILT_IN = 200
};

enum cw_ucode {
  /* no error */
  CWUE_OK = 0,
  /* not a URL handle */
  CWUE_BAD_HANDLE = 1,
  /* bad pointer to a part */
  CWUE_BAD_PARTPOINTER = 2,
  /* the URL is malformed */
  CWUE_MALFORMED_INPUT = 3,
  /* the port is not a number from 0 to 65535 */
  CWUE_BAD_PORT_NUMBER = 4,
  /* the scheme is not known */
  CWUE_UNSUPPORTED_SCHEME = 5,
  /* the part cannot be decoded */
  CWUE_URLDECODE = 6,
  /* out of memory */
  CWUE_OUT_OF_MEMORY = 7,
  /* a user name is not allowed here */
  CWUE_USER_NOT_ALLOWED = 8,
  /* no such part */
  CWUE_UNKNOWN_PART = 9,
  /* there is no scheme */
  CWUE_NO_SCHEME = 10,
  /* there is no user name */
  CWUE_NO_USER = 11,
  /* there is no password */
  CWUE_NO_PASSWORD = 12,
  /* there are no login options */
  CWUE_NO_OPTIONS = 13,
  /* there is no host */
  CWUE_NO_HOST = 14,
  /* there is no port */
  CWUE_NO_PORT = 15,
  /* there is no query */
  CWUE_NO_QUERY = 16,
  /* there is no fragment */
  CWUE_NO_FRAGMENT = 17,
  /* there is no zone id */
  CWUE_NO_ZONEID = 18,
  /* the file URL is malformed */
  CWUE_BAD_FILE_URL = 19,
  /* the fragment is malformed */
  CWUE_BAD_FRAGMENT = 20,
  /* the host name is malformed */
  CWUE_BAD_HOSTNAME = 21,
  /* the IPv6 address is malformed */
  CWUE_BAD_IPV6 = 22,
  /* the login is malformed */
  CWUE_BAD_LOGIN = 23,
  /* the password is malformed */
  CWUE_BAD_PASSWORD = 24,
  /* the path is malformed */
  CWUE_BAD_PATH = 25,
  /* the query is malformed */
  CWUE_BAD_QUERY = 26,
  /* the scheme is malformed */
  CWUE_BAD_SCHEME = 27,
  /* the number of slashes is wrong */
  CWUE_BAD_SLASHES = 28,
  /* the user name is malformed */
  CWUE_BAD_USER = 29,
  /* international host names are not built in */
  CWUE_LACKS_IDN = 30,
  /* larger than allowed */
  CWUE_TOO_LARGE = 31
};

enum cw_shcode {
  /* no error */
  CWSHE_OK = 0,
  /* no such option, or not a value for it */
  CWSHE_BAD_OPTION = 1,
  /* handles use the share: it cannot change or go */
  CWSHE_IN_USE = 2,
  /* not a share handle */
  CWSHE_INVALID = 3,
  /* out of memory */
  CWSHE_NOMEM = 4,
  /* not built in */
  CWSHE_NOT_BUILT_IN = 5
};

#endif
