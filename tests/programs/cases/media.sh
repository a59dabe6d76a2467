# ffmpeg: a film made, encoded and filtered by threads; and transcoded twice, by the encoders of two other libraries for its
# pictures and its sound. ImageMagick: pictures drawn, changed and put together.

packages='ffmpeg imagemagick'
variants=(ffmpeg transcode imagemagick)
zeal=(1000 1000 300)

# film: the clip that all begin with.
film() {
    ffmpeg -v error -threads 3 -f lavfi -i testsrc=d=$scale:s=320x240 -f lavfi -i sine=d=$scale \
        -c:v mpeg4 -c:a aac -flags bitexact -fflags bitexact -f matroska film.mkv
}

commands() {
    local one exact=(-flags bitexact -fflags bitexact)
    if [[ $1 = transcode ]]; then
        film
        ffmpeg -v error -i film.mkv -c:v libx264 -threads 3 -preset medium -c:a libopus "${exact[@]}" -f mp4 film.mp4
        ffmpeg -v error -i film.mp4 -c:v libvpx -threads 2 -b:v 300k -c:a libvorbis "${exact[@]}" -f webm film.webm
        md5sum film.mkv film.mp4 film.webm
        for one in film.mp4 film.webm; do
            ffprobe -v error -show_entries stream=codec_name,nb_read_frames,sample_rate -count_frames -of csv $one
            ffmpeg -v error -i $one -f framemd5 - | md5sum
        done
    elif [[ $1 = ffmpeg ]]; then
        film
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
