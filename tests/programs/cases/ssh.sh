# ssh-keygen: keys made, converted, signed with and certified; fingerprints, hosts and revocations of many keys.

packages='openssh-client'
zeal=10000

prepare() {
    local type
    for type in rsa ecdsa ed25519; do ssh-keygen -q -t $type -N '' -C "of $type" -f "key.$type"; done
    awk -v n=$((scale * 1000)) '{ key[NR] = $1 " " $2 } END { for (i = 0; i < n; i++) print key[i % NR + 1], "key", i }' \
        key.rsa.pub key.ecdsa.pub key.ed25519.pub >many
    awk '{ print "host" NR ".example.org," "10.0." int(NR / 250) "." NR % 250, $1, $2 }' many >hosts
    { seq -f 'id: user %.0f' $((scale * 5000)) && echo 'id: name'; } >revoked
}

commands() {
    local type
    cp ../input/key.* ../input/hosts .
    for type in rsa ecdsa ed25519; do
        ssh-keygen -q -t $type -N secret -f fresh.$type
        ssh-keygen -y -P secret -f fresh.$type | cmp - <(cut -d' ' -f1-3 fresh.$type.pub)
        ssh-keygen -q -p -P secret -N other -f fresh.$type
        ssh-keygen -e -f key.$type.pub -m RFC4716 | md5sum
    done
    ssh-keygen -l -f ../input/many | md5sum
    ssh-keygen -l -E md5 -v -f ../input/many | md5sum
    ssh-keygen -H -f hosts 2>errors
    ssh-keygen -F host77.example.org -f hosts | wc -l
    ssh-keygen -R host78.example.org -f hosts >removed 2>&1
    wc -l <hosts
    ssh-keygen -q -s key.ed25519 -I name -n user -z 4 -V 20200101:20400101 key.rsa.pub
    ssh-keygen -L -f key.rsa-cert.pub | md5sum
    ssh-keygen -q -k -f list -s key.ed25519.pub ../input/revoked
    expect 1 ssh-keygen -Q -f list key.rsa-cert.pub
    cp ../input/many text
    ssh-keygen -q -Y sign -n file -f key.rsa text
    echo "me $(cat key.rsa.pub)" >allowed
    ssh-keygen -Y verify -n file -I me -f allowed -s text.sig <text
    expect 255 ssh-keygen -l -f nonsense
}
