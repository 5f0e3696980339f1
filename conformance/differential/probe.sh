# Prints what a process sees, in sections. Arguments: paths to look at. Every program is named by
# its path, since PATH is the bundle's; descriptors of this shell are looked at from a child.
b=/bin/busybox
me=/proc/$$
s() { echo "#$1"; }

s mountinfo; $b cat $me/mountinfo
s status; $b cat $me/status
s limits; $b cat $me/limits
s environ; $b tr '\0' '\n' <$me/environ
s ns; $b ls -l $me/ns
s fds; $b ls -l $me/fd
s stat; $b cat $me/stat
s lines
for f in oom_score_adj personality uid_map gid_map setgroups timens_offsets cgroup; do
    $b sed "s/^/$f /" $me/$f
done
echo "cwd $($b readlink $me/cwd)"
echo "root $($b stat -c '%F %a %u:%g' /)"
echo "nodename $($b uname -n)"
echo "domainname $($b cat /proc/sys/kernel/domainname)"
echo "machine $($b uname -m)"
echo "ionice $($b ionice -p $$)"
s net; $b ip -o link
s files
$b cut -d' ' -f5 $me/mountinfo | $b sort -u | while read -r t; do
    $b stat -c '%n %F %a %u:%g' "$t"
done
$b find /dev ! -path '/dev/pts/*' ! -path '/dev/mqueue/*' ! -path '/dev/shm/*' -exec $b stat -c '%N %F %a %u:%g %t,%T' {} +
$b find / -xdev -maxdepth 4 ! -path '/bin*' -exec $b stat -c '%N %F %a %u:%g' {} +
s access
for d in $($b find /dev '(' -type c -o -type b ')' ! -path '/dev/pts/*'); do
    echo "$d read $( (: <"$d") 2>&1)"
    echo "$d write $( (: >>"$d") 2>&1)"
done
echo "a-new kmsg $($b mknod /tmp/made c 1 11 2>&1 && (: <>/tmp/made) 2>&1)"
s paths
for p; do
    echo "$p is $($b stat -c '%F %a %u:%g' "$p" 2>&1)"
    if [ -d "$p" ]; then
        echo "$p holds $($b ls -A "$p" 2>&1 | $b head -n 1 | $b wc -l)"
        echo "$p made $($b mkdir "$p/made" 2>&1 && $b rmdir "$p/made" && echo yes)"
    else
        case $p in
        /proc/sys/*) echo "$p reads $($b head -n 1 "$p" 2>&1)" ;;
        *) echo "$p reads $($b head -c 1 "$p" 2>&1 | $b wc -c)" ;;
        esac
        echo "$p writes $( (: >>"$p") 2>&1)"
    fi
done
s cgroup
cd /sys/fs/cgroup 2>/dev/null && [ -e cgroup.procs ] && for f in *; do
    case $f in
    *.max | *.low | *.high | *.min | *.weight | *.burst | *.idle | *.cpus | *.mems | cgroup.max.*)
        $b sed "s/^/$f /" $f ;;
    cgroup.procs | cgroup.threads | cgroup.subtree_control)
        $b stat -c '%n %a %u:%g' $f ;;
    esac
done
s end
