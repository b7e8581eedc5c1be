//! Keys and a signature that OpenSSL 3.0 made, once; the private halves are not kept.

/// `openssl genrsa 2048 | openssl rsa -pubout`.
pub(super) const KEY: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApONwSqh4gbkaz8o81cNo
fMz20kAt9tyZOsF6wy1aeGHs9c1Bmm41ErpLBHtP7jezpwiEtJ4bzMxe0WL8MBxt
3TvhPzHY3pdruJqTLK+2R5r1IRLExZXGMFRDufcSOF45uTyA0sHs/SLP9xuJS9oO
EidlZP1ZOCjJlVyu4cGE2qva6Ks6Q06r8NF40nByGvpJWK1LYp50AbBsh3UTgSTW
rss/DuQtdOCbVHaF86p2MJvEUEvBHrKhc2jHXhq96X4Uq5u5Y3x4ZXk7Mv/95ZYz
QBZzFnx0Mi4sqoS0XyNXIRioshqdpAt2yYnaF0P3VJfnMrjxlIbyvmj4ljdA06DA
3QIDAQAB
-----END PUBLIC KEY-----
";

/// The same key by `openssl rsa -RSAPublicKey_out`: PKCS#1.
pub(super) const KEY_PKCS1: &str = "\
-----BEGIN RSA PUBLIC KEY-----
MIIBCgKCAQEApONwSqh4gbkaz8o81cNofMz20kAt9tyZOsF6wy1aeGHs9c1Bmm41
ErpLBHtP7jezpwiEtJ4bzMxe0WL8MBxt3TvhPzHY3pdruJqTLK+2R5r1IRLExZXG
MFRDufcSOF45uTyA0sHs/SLP9xuJS9oOEidlZP1ZOCjJlVyu4cGE2qva6Ks6Q06r
8NF40nByGvpJWK1LYp50AbBsh3UTgSTWrss/DuQtdOCbVHaF86p2MJvEUEvBHrKh
c2jHXhq96X4Uq5u5Y3x4ZXk7Mv/95ZYzQBZzFnx0Mi4sqoS0XyNXIRioshqdpAt2
yYnaF0P3VJfnMrjxlIbyvmj4ljdA06DA3QIDAQAB
-----END RSA PUBLIC KEY-----
";

/// `openssl genrsa 1024 | openssl rsa -pubout`.
pub(super) const KEY_1024: &str = "\
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCbaQY+HHkaIkkQR374Xq6GJPi0
rzWkGFo29gy2gQVN9vLOUguRkowihKefHeMy/ASQeImve1YT77OeAWeDikhUXoa9
V4XYoQZTIS9FxySFCgOE0MdJ8jENbCBpTdVmVUTfiFQmHNPhKFn5tm40aJy0IyTB
zCp344wiJobK63NcNQIDAQAB
-----END PUBLIC KEY-----
";

/// `openssl ecparam -name prime256v1 -genkey | openssl ec -pubout`.
pub(super) const KEY_EC: &str = "\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4c3KL06os1w3tJO1Z+xjfKjeK2UW
F4B5Wd7aW0xAGGycJLZdJl6yozkSSsAatpjRbTOmgkKs4RYP3PqJSrYkoQ==
-----END PUBLIC KEY-----
";

/// What is signed.
pub(super) const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.e30.token";

/// `openssl dgst -sha256 -sign key.pem token | base64 -w0`.
pub(super) const SIGNATURE: &str = "ZH9zUnxglOXjnj7WDpcBAuD145SsdDe8x01KNXi959WSBY1y1wGeAkbNSkpbGJ+pzbYvqspJ5cinw2cxOP3mClDEUlYIBfJnZ+CG4aN5f7ycpRWLjvCf1mux1g18DIsvYGvbpxDYAM5RtM6zQMnp3wOn3stT1VlusgxbBSVtJINXkLm2KJUJbA+1Xfs6tZaJcdk7vW096JpoyFmoVRj3BbLZvcslt3UTpDVKAJ8Z/Z3vsGXfEIhk/EQQpMN22XFmyOVZ37y4kJPH7VkxRBfsHodYGMeF7JCi3blbLoTy50Je77yaBtfl6+NtQ9Z0aNPKlEw/V+Pn1Q3venGRAc/vbw==";
