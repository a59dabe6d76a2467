# openssl: keys, digests, signatures, ciphers, and a revocation list of many entries, which allocates for each.

packages=openssl
zeal=40000

prepare() {
    seq 1 $((scale * 400000)) >plain
    openssl genrsa -out key.pem 2048
    openssl req -x509 -new -key key.pem -subj /CN=gleaner -set_serial 1 -days 36500 -out certificate.pem
    awk -v n=$((scale * 30000)) 'BEGIN {
        for (i = 1; i <= n; i++) printf "R\t21000101000000Z\t200101000000Z\t%06X\tunknown\t/CN=host%d\n", i + 1048576, i
    }' >index.txt
    cat >ca.cnf <<'END'
[ca]
default_ca = here
[here]
database = index.txt
certificate = ../input/certificate.pem
private_key = ../input/key.pem
default_md = sha256
END
}

commands() {
    local digest
    cp ../input/index.txt .
    openssl genrsa -out fresh.pem 3072
    openssl rsa -in fresh.pem -check -noout
    openssl ecparam -name prime256v1 -genkey -noout -out curve.pem
    openssl dgst -sha256 -sign curve.pem -out signature ../input/plain
    openssl dgst -sha256 -prverify curve.pem -signature signature ../input/plain
    for digest in md5 sha1 sha256 sha3-512 blake2b512; do openssl dgst -$digest <../input/plain; done
    openssl dgst -sha256 -sign ../input/key.pem ../input/plain | md5sum
    openssl enc -aes-256-cbc -pbkdf2 -iter 20000 -S 0123456789abcdef -pass pass:secret -in ../input/plain -out secret
    md5sum secret
    openssl enc -d -aes-256-cbc -pbkdf2 -iter 20000 -S 0123456789abcdef -pass pass:secret -in secret | cmp - ../input/plain
    openssl ca -config ../input/ca.cnf -gencrl -crl_lastupdate 20200101000000Z -crl_nextupdate 20300101000000Z -out crl.pem
    openssl crl -in crl.pem -noout -text | md5sum
    openssl asn1parse -in crl.pem | md5sum
    openssl crl -in crl.pem -CAfile ../input/certificate.pem -noout -verify
    openssl prime -generate -bits 1024 | tr -d '0-9\n'
    expect 1 openssl pkey -in ../input/ca.cnf -noout
}

# Errors begin with the address of a thread.
tidy() {
    sed -E 's/^[0-9A-F]{16}:error:/error:/'
}
