#!/bin/sh
# Makes a folder with about N files and everything in it that breaks careless programs.
# Usage: tests/make-folder.sh FOLDER [N]
set -eu
folder=$1 count=${2:-200}
mkdir -p "$folder"
cd "$folder"
if [ -n "$(ls -A .)" ]; then
  echo "$folder is not empty" >&2
  exit 2
fi

perl - "$count" <<'PERL'
use strict; use warnings;
my ($count) = @ARGV;
my @extension = qw(cs py js md sh c go rs txt json);
for my $n (0 .. $count - 1) {
    my $folder = sprintf 'src/part %02d', $n % 40;
    mkdir 'src'; mkdir $folder;
    my $name = sprintf '%s/file%05d.%s', $folder, $n, $extension[$n % 10];
    my $lines = 1 + $n * 7 % 90;
    my $text = join '', map { "line $_ of file $n\n" } 1 .. $lines;
    $text .= "// TODO: look at $n again\n" if $n % 50 == 0;
    $text = "the same in many files\n" x 5 if $n % 25 == 3;   # duplicates
    $text = '' if $n % 100 == 7;                              # empty
    $text = "\x7fELF\0\1\2" . pack 'N*', 1 .. 50 + $n % 9 if $n % 100 == 9;   # binary
    chomp $text if $n % 10 == 1;                              # no line feed at the end
    open my $file, '>', $name or die "$name: $!";
    print $file $text;
    close $file;
}
PERL

mkdir odd
cd odd
printf 'one\ntwo\n' > 'with spaces and | pipe.txt'
printf 'x\n' > "$(printf 'new\nline.py')"
printf '# FIXME in a name with a line feed\n' > "$(printf 'new\nline2.py')"
printf 'x\n' > "$(printf 'tab\there.c')"
printf 'x\n' > "$(printf 'latin-\351t\351.txt')"            # not UTF-8
printf 'x\n' > "$(printf 'utf8-\303\251t\303\251-\346\227\245\346\234\254.txt')"
printf 'x\n' > "$(printf 'right-to-left-\342\200\256txt.exe')"
printf 'x\n' > '-rf'
printf 'x\n' > '`whoami`$(id);"quoted".sh'
printf 'x\n' > 'back\slash <b>*bold* [link](x).md'
printf '\377\376a\0b\0' > utf16.txt
printf 'TODO not UTF-8: \351 and a `tick` | pipe <script>\n' > todo.txt
printf '#!/usr/bin/env python3\nprint(1)\n' > script
printf 'secret\n' > unreadable.txt
chmod 000 unreadable.txt
mkdir unreadable-folder
printf 'x\n' > unreadable-folder/inside.txt
chmod 000 unreadable-folder
ln -s ../src link-to-folder
ln -s nowhere broken-link
ln -s link-a link-b
ln -s link-b link-a
mkfifo fifo
ln todo.txt hard-link.txt
truncate -s 100M sparse.img
cd ..

# 200 levels; and as many with longer names, whose path is longer than a system call takes (4,096 bytes).
deep() {
  (
    level=0
    while [ $level -lt 200 ]; do
      mkdir "$1$level"
      cd -P "$1$level"
      level=$((level + 1))
    done
    printf 'TODO at the bottom\n' > bottom.txt
  )
}
deep level-
deep level-with-a-rather-long-name-
