"""curl over HTTP/3 and nothing else, which gives up after some seconds: curl_client.py URL SECONDS"""

import sys

from curl_cffi import Curl, CurlHttpVersion, CurlOpt

curl = Curl()
curl.setopt(CurlOpt.URL, sys.argv[1].encode())
curl.setopt(CurlOpt.HTTP_VERSION, CurlHttpVersion.V3ONLY)
curl.setopt(CurlOpt.SSL_VERIFYPEER, 0)
curl.setopt(CurlOpt.SSL_VERIFYHOST, 0)
curl.setopt(CurlOpt.TIMEOUT_MS, int(1000 * float(sys.argv[2])))
try:
    curl.perform()
finally:
    curl.close()
