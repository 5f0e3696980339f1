//! Images: both builders, and commit.

use crate::case::{Case, Need};
use crate::check::Outcome;
use crate::place::Place;

use super::Docker;

const BUILDKIT: &[Need] = &[Need::File("/usr/libexec/docker/cli-plugins/docker-buildx")];

pub(super) const CASES: &[Case] = &[
    Case::new("docker/build", classic),
    Case::new("docker/build-a-failure", classic_failure),
    Case::new("docker/build-with-buildkit", buildkit).needs(BUILDKIT),
    Case::new("docker/build-with-buildkit-a-failure", buildkit_failure).needs(BUILDKIT),
    Case::new("docker/commit", commit),
];

/// What RUN sees is in the image.
const RECIPE: &str = "FROM box\\nENV WHAT=ever\\nWORKDIR /work\\nUSER joe\\n\
    RUN echo $(id -u) $PWD $WHAT >/tmp/seen && touch -d @0 /tmp/old\\n";

fn classic(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(&format!(
        "export DOCKER_BUILDKIT=0; mkdir $dir/context; printf '{RECIPE}' >$dir/context/Dockerfile
        docker build -q --network none -t $tag $dir/context >/dev/null || exit
        $run --rm $tag cat /tmp/seen; docker rmi $tag >/dev/null"
    ))?;
    said.ended(0)?.printed("1234 /work ever")?;
    Ok(())
}

fn classic_failure(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "export DOCKER_BUILDKIT=0; mkdir $dir/context; printf 'FROM box\\nRUN exit 9\\n' >$dir/context/Dockerfile
        docker build --rm --force-rm -q --network none $dir/context",
    )?;
    said.ended(9)
        .or_else(|_| said.ended(1))?
        .complained(&["returned a non-zero code: 9"])?;
    Ok(())
}

fn buildkit(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(&format!(
        "mkdir $dir/context; printf '{RECIPE}USER root\\n\
            RUN --mount=type=cache,target=/cache --mount=type=secret,id=one --mount=type=bind,target=/from \
            --mount=type=tmpfs,target=/scratch \
            cat /run/secrets/one /from/Dockerfile >/seen && touch /cache/it /scratch/it && wc -l /seen >>/tmp/seen\\n\
            RUN --mount=type=cache,target=/cache ls /cache /run >>/tmp/seen\\n' >$dir/context/Dockerfile
        echo secret >$dir/secret
        docker build -q --network none --secret id=one,src=$dir/secret -t $tag $dir/context >/dev/null || exit
        $run --rm $tag cat /tmp/seen; docker rmi $tag >/dev/null; docker builder prune -af >/dev/null"
    ))?;
    said.ended(0)?
        .has("1234 /work ever\n9 /seen\n")?
        .has("it\n")?;
    Ok(())
}

fn buildkit_failure(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "mkdir $dir/context; printf 'FROM box\\nRUN exit 9\\n' >$dir/context/Dockerfile
        docker build --network none $dir/context",
    )?;
    said.ended(1)?.complained(&["exit code: 9"])?;
    Ok(())
}

fn commit(place: &Place<'_>) -> Outcome {
    let docker = Docker::ready(place)?;
    let said = docker.ask(
        "$run --name $tag box sh -c 'echo mine >/mine'; docker commit -c 'CMD cat /mine' $tag $tag >/dev/null
        $run --rm $tag; docker rm $tag >/dev/null; docker rmi $tag >/dev/null",
    )?;
    said.ended(0)?.printed("mine")?;
    Ok(())
}
