"""The emoji that incident channels use; any other name is shown as `:name:`."""

from __future__ import annotations

_NAMES = """
eyes 👀|white_check_mark ✅|heavy_check_mark ✔️|x ❌|warning ⚠️|rotating_light 🚨|fire 🔥|red_circle 🔴|large_red_circle 🔴
large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵|white_circle ⚪|black_circle ⚫
large_blue_square 🟦|large_red_square 🟥|large_yellow_square 🟨|large_green_square 🟩|hourglass ⌛
hourglass_flowing_sand ⏳|mag 🔍|mag_right 🔎|thumbsup 👍|+1 👍|thumbsdown 👎|-1 👎|tada 🎉|rocket 🚀|wrench 🔧
hammer_and_wrench 🛠️|bug 🐛|boom 💥|bell 🔔|no_bell 🔕|label 🏷️|tornado 🌪️|chart_with_upwards_trend 📈
chart_with_downwards_trend 📉|bar_chart 📊|memo 📝|clipboard 📋|link 🔗|robot_face 🤖|bulb 💡|question ❓|grey_question ❔
exclamation ❗|information_source ℹ️|clock1 🕐|stopwatch ⏱️|calendar 📅|package 📦|lock 🔒|unlock 🔓|key 🔑|no_entry ⛔
octagonal_sign 🛑|raised_hand ✋|wave 👋|pray 🙏|heart ❤️|joy 😂|smile 😄|thinking_face 🤔|zzz 💤|arrow_right ➡️
arrow_up ⬆️|arrow_down ⬇️|repeat 🔁|arrows_counterclockwise 🔄|recycle ♻️|page_facing_up 📄|file_folder 📁
computer 💻|desktop_computer 🖥️|gear ⚙️|electric_plug 🔌|satellite 🛰️|checkered_flag 🏁|triangular_flag_on_post 🚩
small_red_triangle 🔺|small_red_triangle_down 🔻|small_blue_diamond 🔹|small_orange_diamond 🔸|star ⭐|sparkles ✨|100 💯
next_track_button ⏭️|double_vertical_bar ⏸️|pause_button ⏸️|arrow_forward ▶️|speech_balloon 💬|thread 🧵|pencil 📝
pencil2 ✏️|busts_in_silhouette 👥|bust_in_silhouette 👤|detective 🕵️|male-detective 🕵️|sleuth_or_spy 🕵️
"""
EMOJI = dict(pair.split(" ", 1) for line in _NAMES.strip().splitlines() for pair in line.split("|"))


def emoji(name: str) -> str:
    """The character of an emoji, or its name between colons."""
    return EMOJI.get(name.partition("::")[0], f":{name}:")
