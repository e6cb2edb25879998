-- curlew in the style where expected failures are returned as nil, err.
return require "curlew".safe
