"""Videos in, frames out: probe, read, sample, write."""

from vidfit.video.decode import decode
from vidfit.video.frame import DecodedFrame
from vidfit.video.info import VideoInfo
from vidfit.video.join import join_videos
from vidfit.video.member import split_member
from vidfit.video.names import VIDEO_SUFFIXES, is_video_path
from vidfit.video.reader import VideoReader, probe
from vidfit.video.sample import frame_indices
from vidfit.video.stored import FrameLook
from vidfit.video.write import Audio, write_video

__all__ = [
    "VIDEO_SUFFIXES",
    "Audio",
    "DecodedFrame",
    "FrameLook",
    "VideoInfo",
    "VideoReader",
    "decode",
    "frame_indices",
    "is_video_path",
    "join_videos",
    "probe",
    "split_member",
    "write_video",
]
