# ffmpeg: a film made, encoded and filtered by threads. ImageMagick: pictures drawn, changed and put together.

packages='ffmpeg imagemagick'
variants=(ffmpeg imagemagick)
zeal=(1500 300)

commands() {
    if [[ $1 = ffmpeg ]]; then
        ffmpeg -v error -threads 3 -f lavfi -i testsrc=d=$scale:s=320x240 -f lavfi -i sine=d=$scale \
            -c:v mpeg4 -c:a aac -flags bitexact -fflags bitexact -f matroska film.mkv
        md5sum film.mkv
        ffmpeg -v error -i film.mkv -vf scale=160:120,hue=s=0.5,boxblur -f framemd5 - | md5sum
        expect 1 ffmpeg -v quiet -i nonsense -f null -
    else
        convert -size 400x300 -seed 3 plasma:fractal plasma.png
        convert plasma.png -blur 0x3 -rotate 33 -resize 50% -charcoal 1 -colors 64 drawn.gif
        convert plasma.png -fill red -draw 'circle 100,100 150,150' -quality 80 drawn.jpg
        montage plasma.png drawn.gif drawn.jpg -geometry 100x100 all.png
        identify -format '%# %w %h\n' plasma.png drawn.gif drawn.jpg all.png
        expect 1 identify ../nonsense 2>/dev/null
    fi
}
