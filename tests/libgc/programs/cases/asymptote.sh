# asy: pictures without labels to EPS: no TeX is needed.

packages=asymptote

prepare() { sed "s/amount_of_work/$scale/" "$here/cases/asymptote/pictures.asy" >pictures.asy; }

commands() {
    HOME=$PWD asy -f eps -tex none -noV -o picture ../input/pictures.asy
    grep -av '^%%Creat' picture.eps | cksum
}
